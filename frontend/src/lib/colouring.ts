/**
 * Depth and error as colours, by the same rule and the same tables as the exported figure (backend/figures/colouring.py): a value v in [lo, hi] takes
 * entry floor(255·(v − lo)/(hi − lo) + 0.5), clamped; an invalid value is transparent, so that the hatch behind it shows.
 *
 * A tile's pixels are words of four bytes. There are 65 536 depths and twice as many differences of two: each gets its word once, and every pixel is a look-up.
 */

import tables from '../../../backend/figures/colormaps.json'
import type { DepthMap } from './depth'

export const PERCEPTUAL = ['depth', 'viridis', 'cividis', 'inferno', 'plasma', 'grey'] as const
/** They show edges where depth has none. */
export const NOT_PERCEPTUAL = ['turbo', 'jet'] as const

export type ColourMap = (typeof PERCEPTUAL)[number] | (typeof NOT_PERCEPTUAL)[number]
export type View = 'depth' | 'error' | 'relative'

export interface Colouring {
  view: View
  map: ColourMap
  /** metres, one range for all tiles */
  range: readonly [number, number]
  /** of the error, metres or a share */
  limit: number
}

export function table(name: ColourMap | 'error'): readonly (readonly number[])[] {
  return tables[name]
}

export function isColourMap(name: unknown): name is ColourMap {
  return [...PERCEPTUAL, ...NOT_PERCEPTUAL].includes(name as ColourMap)
}

/** The table as opaque words, whatever the order of the machine's bytes. */
function words(name: ColourMap | 'error'): Uint32Array {
  const bytes = Uint8Array.from(table(name).flatMap(([r, g, b]) => [r!, g!, b!, 255]))
  return new Uint32Array(bytes.buffer)
}

function entry(value: number, low: number, high: number): number {
  return Math.min(255, Math.max(0, Math.floor((255 * (value - low)) / (high - low) + 0.5)))
}

/** The word of every depth in millimetres; 0, invalid, is transparent. */
export function depthWords(low: number, high: number, name: ColourMap): Uint32Array {
  const colours = words(name)
  const out = new Uint32Array(65536)
  for (let v = 1; v < out.length; v++) out[v] = colours[entry(v / 1000, low, high)]!
  return out
}

const NO_DIFFERENCE = 65535

/** The word of every difference of two depths in millimetres, from −65 535. */
export function errorWords(limit: number): Uint32Array {
  const colours = words('error')
  const out = new Uint32Array(2 * NO_DIFFERENCE + 1)
  for (let d = 0; d < out.length; d++) out[d] = colours[entry((d - NO_DIFFERENCE) / 1000, -limit, limit)]!
  return out
}

export function paintDepth(out: Uint32Array, map: DepthMap, word: Uint32Array): void {
  const { values } = map
  for (let i = 0; i < values.length; i++) out[i] = word[values[i]!]!
}

export function paintError(out: Uint32Array, pred: DepthMap, truth: DepthMap, word: Uint32Array): void {
  const [p, t] = [pred.values, truth.values]
  for (let i = 0; i < p.length; i++) out[i] = p[i]! > 0 && t[i]! > 0 ? word[p[i]! - t[i]! + NO_DIFFERENCE]! : 0
}

export function paintRelative(out: Uint32Array, pred: DepthMap, truth: DepthMap, limit: number): void {
  const colours = words('error')
  const [p, t] = [pred.values, truth.values]
  for (let i = 0; i < p.length; i++) {
    if (p[i] === 0 || t[i] === 0) {
      out[i] = 0
      continue
    }
    const at = Math.floor((255 * ((p[i]! - t[i]!) / t[i]! + limit)) / (2 * limit) + 0.5)
    out[i] = colours[at < 0 ? 0 : at > 255 ? 255 : at]!
  }
}

/** Paints maps one after another with the same colouring. An error needs ground truth of the same size; without it nothing is painted, and false comes back. */
export function painterOf(colouring: Colouring): (out: Uint32Array, map: DepthMap, truth?: DepthMap) => boolean {
  const { view, map: name, range, limit } = colouring
  let depth: Uint32Array | undefined
  let error: Uint32Array | undefined
  return (out, map, truth) => {
    if (view === 'depth') {
      paintDepth(out, map, (depth ??= depthWords(range[0], range[1], name)))
      return true
    }
    if (truth?.values.length !== map.values.length) return false
    if (view === 'error') paintError(out, map, truth, (error ??= errorWords(limit)))
    else paintRelative(out, map, truth, limit)
    return true
  }
}

/** A CSS gradient of a table, left to right. */
export function gradient(name: ColourMap | 'error'): string {
  const stops = Array.from({ length: 17 }, (_, i) => table(name)[Math.round((i * 255) / 16)]!)
  return `linear-gradient(to right, ${stops.map(([r, g, b]) => `rgb(${r},${g},${b})`).join(', ')})`
}
