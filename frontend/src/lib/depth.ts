/**
 * Raw depth as it is stored, and what is read of it: uint16 millimetres, 0 = invalid. Where Python has the same function (backend/figures/colouring.py), both are
 * tested on the same fixtures.
 */

/** uint16 millimetres, row by row; 0 is invalid. */
export interface DepthMap {
  width: number
  height: number
  values: Uint16Array
}

/** Raises RangeError when the bytes are not height × width little-endian uint16. */
export function decodeDepth(buffer: ArrayBuffer, height: number, width: number): DepthMap {
  if (buffer.byteLength !== height * width * 2) {
    throw new RangeError(`the depth map holds ${buffer.byteLength / 2} values where ${height} × ${width} are due`)
  }
  const view = new DataView(buffer)
  const values = new Uint16Array(height * width)
  for (let i = 0; i < values.length; i++) values[i] = view.getUint16(2 * i, true)
  return { width, height, values }
}

/** Metres, null where either is invalid; arguments in millimetres. */
export function signedError(pred: number, truth: number): number | null {
  return pred > 0 && truth > 0 ? (pred - truth) / 1000 : null
}

/** Share of the ground truth, null where either is invalid. */
export function relativeError(pred: number, truth: number): number | null {
  return pred > 0 && truth > 0 ? (pred - truth) / truth : null
}

/** The pixel under a point given as shares of width and height. */
export function pixelAt(map: { width: number; height: number }, u: number, v: number): { x: number; y: number } {
  const clamp = (share: number, n: number) => Math.min(n - 1, Math.max(0, Math.floor(share * n)))
  return { x: clamp(u, map.width), y: clamp(v, map.height) }
}

/** Metres under a point, null where invalid. */
export function metresAt(map: DepthMap, u: number, v: number): number | null {
  const { x, y } = pixelAt(map, u, v)
  const value = map.values[y * map.width + x]!
  return value > 0 ? value / 1000 : null
}

/** How often each millimetre occurs among the valid pixels of these maps: counting sorts a million values in a moment. */
function counted(maps: readonly DepthMap[]): { counts: Uint32Array; total: number } {
  const counts = new Uint32Array(65536)
  for (const { values } of maps) for (let i = 0; i < values.length; i++) counts[values[i]!]!++
  counts[0] = 0
  let total = 0
  for (const n of counts) total += n
  return { counts, total }
}

/** The value of this rank, from 0, among those counted. */
function atRank(counts: Uint32Array, rank: number): number {
  let seen = 0
  for (let value = 1; value < counts.length; value++) {
    seen += counts[value]!
    if (seen > rank) return value
  }
  return 0
}

/** Percentiles (0..100) in metres, linear between ranks as NumPy's; null where no pixel is valid. */
export function percentiles(maps: readonly DepthMap[], wanted: readonly number[]): number[] | null {
  const { counts, total } = counted(maps)
  if (total === 0) return null
  return wanted.map((q) => {
    const rank = (q / 100) * (total - 1)
    const below = Math.floor(rank)
    const low = atRank(counts, below)
    return (low + (rank - below) * (atRank(counts, Math.min(below + 1, total - 1)) - low)) / 1000
  })
}

/** 2nd and 98th percentile of all valid values in metres; (0, 10) where there is none. */
export function depthRange(maps: readonly DepthMap[]): [number, number] {
  const [low, high] = percentiles(maps, [2, 98]) ?? [0, 10]
  return high! > low! ? [low!, high!] : [low! - 0.5, low! + 0.5]
}

/** Metres along row `y`, null where invalid. */
export function profile(map: DepthMap, v: number): (number | null)[] {
  const { y } = pixelAt(map, 0, v)
  return Array.from({ length: map.width }, (_, x) => {
    const value = map.values[y * map.width + x]!
    return value > 0 ? value / 1000 : null
  })
}

/** The prediction × median(truth) / median(prediction), both over the pixels that have both, in whole millimetres; itself where none has. */
export function medianScaled(pred: DepthMap, truth: DepthMap): DepthMap {
  const scale = medianScale(pred, truth)
  if (scale === null) return pred
  const values = Uint16Array.from(pred.values, (v) => (v > 0 ? Math.min(65535, Math.max(1, Math.floor(v * scale + 0.5))) : 0))
  return { ...pred, values }
}

export function medianScale(pred: DepthMap, truth: DepthMap): number | null {
  if (pred.values.length !== truth.values.length) return null
  const both = (own: Uint16Array, other: Uint16Array) => own.map((v, i) => (other[i]! > 0 ? v : 0))
  const [expected, predicted] = [both(truth.values, pred.values), both(pred.values, truth.values)].map((values) => percentiles([{ ...pred, values }], [50])?.[0])
  return expected && predicted ? expected / predicted : null
}

/** Without what lies where the ground truth is missing. */
export function masked(pred: DepthMap, truth: DepthMap): DepthMap {
  return pred.values.length === truth.values.length ? { ...pred, values: pred.values.map((v, i) => (truth.values[i]! > 0 ? v : 0)) } : pred
}

/** How often a signed error lies in each of `bins` equal steps from −limit to limit metres, the upper ends excluded but the last one's; and how often beyond. */
export function errorHistogram(pred: DepthMap, truth: DepthMap, limit: number, bins: number): { counts: number[]; below: number; above: number; total: number } {
  const counts = new Array<number>(bins).fill(0)
  let [below, above, total] = [0, 0, 0]
  for (let i = 0; i < pred.values.length; i++) {
    const [p, t] = [pred.values[i]!, truth.values[i] ?? 0]
    if (p === 0 || t === 0) continue
    total++
    // In millimetres, which are whole: an error that lies on the edge of two bins is in the upper one.
    const end = 1000 * limit
    if (p - t < -end) below++
    else if (p - t > end) above++
    else counts[Math.min(bins - 1, Math.floor(((p - t + end) * bins) / (2 * end)))]!++
  }
  return { counts, below, above, total }
}
