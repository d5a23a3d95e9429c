/**
 * Raw depth to colours, by the same rule and the same tables as the exported figure (backend/figures/colouring.py): a value v in [lo, hi] takes
 * entry floor(255·(v − lo)/(hi − lo) + 0.5), clamped; an invalid value is transparent, so that the hatch behind it shows.
 */

import tables from '../../../backend/figures/colormaps.json'

export type ColourMap = 'depth' | 'viridis' | 'cividis' | 'grey'
export type View = 'depth' | 'error' | 'relative'

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

export function table(name: ColourMap | 'error'): readonly (readonly number[])[] {
  return tables[name]
}

/** RGBA of depth between `low` and `high` metres. */
export function colourDepth(map: DepthMap, low: number, high: number, name: ColourMap = 'depth'): Uint8ClampedArray<ArrayBuffer> {
  return paint(map.values.length, table(name), low, high, (i) => (map.values[i]! > 0 ? map.values[i]! / 1000 : null))
}

/** RGBA of prediction − ground truth, symmetric about 0 within ±`limit`: metres, or a share of the ground truth when `relative`. */
export function colourError(pred: DepthMap, truth: DepthMap, limit: number, relative = false): Uint8ClampedArray<ArrayBuffer> {
  const error = relative ? relativeError : signedError
  return paint(pred.values.length, table('error'), -limit, limit, (i) => error(pred.values[i]!, truth.values[i]!))
}

/** Metres, null where either is invalid; arguments in millimetres. */
export function signedError(pred: number, truth: number): number | null {
  return pred > 0 && truth > 0 ? (pred - truth) / 1000 : null
}

/** Share of the ground truth, null where either is invalid. */
export function relativeError(pred: number, truth: number): number | null {
  return pred > 0 && truth > 0 ? (pred - truth) / truth : null
}

function paint(
  n: number,
  colours: readonly (readonly number[])[],
  low: number,
  high: number,
  value: (i: number) => number | null,
): Uint8ClampedArray<ArrayBuffer> {
  const out = new Uint8ClampedArray(4 * n)
  for (let i = 0; i < n; i++) {
    const v = value(i)
    if (v === null) continue
    const entry = Math.min(255, Math.max(0, Math.floor((255 * (v - low)) / (high - low) + 0.5)))
    const [r, g, b] = colours[entry]!
    out[4 * i] = r!
    out[4 * i + 1] = g!
    out[4 * i + 2] = b!
    out[4 * i + 3] = 255
  }
  return out
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

/** 2nd and 98th percentile (linear between ranks) of all valid values in metres; (0, 10) where there is none. */
export function depthRange(maps: readonly DepthMap[]): [number, number] {
  const valid = Float64Array.from(maps.flatMap((map) => [...map.values].filter((v) => v > 0))).toSorted()
  if (valid.length === 0) return [0, 10]
  const at = (q: number) => {
    const rank = q * (valid.length - 1)
    const below = Math.floor(rank)
    const next = valid[Math.min(below + 1, valid.length - 1)]!
    return (valid[below]! + (rank - below) * (next - valid[below]!)) / 1000
  }
  const [low, high] = [at(0.02), at(0.98)]
  return high > low ? [low, high] : [low - 0.5, low + 0.5]
}

/** Metres along row `y`, null where invalid. */
export function profile(map: DepthMap, v: number): (number | null)[] {
  const { y } = pixelAt(map, 0, v)
  return Array.from({ length: map.width }, (_, x) => {
    const value = map.values[y * map.width + x]!
    return value > 0 ? value / 1000 : null
  })
}

/** A CSS gradient of a table, left to right. */
export function gradient(name: ColourMap | 'error'): string {
  const stops = Array.from({ length: 17 }, (_, i) => table(name)[Math.round((i * 255) / 16)]!)
  return `linear-gradient(to right, ${stops.map(([r, g, b]) => `rgb(${r},${g},${b})`).join(', ')})`
}
