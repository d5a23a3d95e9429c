/** A dataset's depths as bars. */

export interface Bar {
  from: number
  /** null of the last, which has no end */
  to: number | null
  share: number
}

/** Each bin's share of all pixels that have a depth; the last bin only where it holds any. */
export function bars({ bin_metres, pixels }: { bin_metres: number; pixels: readonly number[] }): Bar[] {
  const total = pixels.reduce((sum, n) => sum + n, 0)
  if (total === 0) return []
  const last = pixels.length - 1
  return pixels
    .map((n, i) => ({ from: i * bin_metres, to: i === last ? null : (i + 1) * bin_metres, share: n / total }))
    .filter((bar) => bar.to !== null || bar.share > 0)
}
