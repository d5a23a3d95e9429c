/**
 * Depth and error as colours, by the same rule and the same tables as the exported figure (backend/figures/colouring.py): a value v in [lo, hi] takes
 * entry floor(255·(v − lo)/(hi − lo) + 0.5), clamped; an invalid value is transparent, so that the hatch behind it shows.
 *
 * What a tile shows is 16 bits a pixel, a depth or an error, so each of 65 536 values gets its four bytes once, and painting a pixel is a look-up.
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

const MIDDLE = 32768
/** Steps of the relative error in one: it is rounded to these before it is coloured, as depth is to millimetres. */
const SHARE_STEPS = 8000

/** The word of every error as `differences` and `shares` hold it, of so many steps in one; 0, no error, is transparent. */
export function errorWords(limit: number, steps: number): Uint32Array {
  const colours = words('error')
  const out = new Uint32Array(65536)
  for (let e = 1; e < out.length; e++) out[e] = colours[entry((e - MIDDLE) / steps, -limit, limit)]!
  return out
}

/** Prediction − ground truth in millimetres from 32 768, clamped to what 16 bits hold; 0 where either is invalid. */
export function differences(pred: DepthMap, truth: DepthMap): Uint16Array {
  const [p, t] = [pred.values, truth.values]
  const out = new Uint16Array(p.length)
  for (let i = 0; i < p.length; i++) if (p[i]! > 0 && t[i]! > 0) out[i] = clamped(p[i]! - t[i]!)
  return out
}

/** The same as a share of the ground truth, rounded to 1/8000, a half up. */
export function shares(pred: DepthMap, truth: DepthMap): Uint16Array {
  const [p, t] = [pred.values, truth.values]
  const out = new Uint16Array(p.length)
  for (let i = 0; i < p.length; i++) if (p[i]! > 0 && t[i]! > 0) out[i] = clamped(Math.floor((SHARE_STEPS * (p[i]! - t[i]!)) / t[i]! + 0.5))
  return out
}

function clamped(error: number): number {
  return MIDDLE + (error > 32767 ? 32767 : error < -32767 ? -32767 : error)
}

interface Errors {
  truth: DepthMap
  error?: Uint16Array
  relative?: Uint16Array
}

const known = new WeakMap<DepthMap, Errors>()

/** The errors of a prediction, worked out once. */
export function errorsOf(view: 'error' | 'relative', pred: DepthMap, truth: DepthMap): Uint16Array {
  const found = known.get(pred)
  const own: Errors = found?.truth === truth ? found : { truth }
  known.set(pred, own)
  return (own[view] ??= view === 'error' ? differences(pred, truth) : shares(pred, truth))
}

function paint(out: Uint32Array, values: Uint16Array, word: Uint32Array): void {
  for (let i = 0; i < values.length; i++) out[i] = word[values[i]!]!
}

/** Paints maps one after another with the same colouring. An error needs ground truth of the same size; without it nothing is painted, and false comes back. */
export function painterOf(colouring: Colouring): (out: Uint32Array, map: DepthMap, truth?: DepthMap) => boolean {
  const { view, map: name, range, limit } = colouring
  let word: Uint32Array | undefined
  return (out, map, truth) => {
    if (view === 'depth') {
      paint(out, map.values, (word ??= depthWords(range[0], range[1], name)))
      return true
    }
    if (truth?.values.length !== map.values.length) return false
    paint(out, errorsOf(view, map, truth), (word ??= errorWords(limit, view === 'error' ? 1000 : SHARE_STEPS)))
    return true
  }
}

/** A CSS gradient of a table, left to right. */
export function gradient(name: ColourMap | 'error'): string {
  const stops = Array.from({ length: 17 }, (_, i) => table(name)[Math.round((i * 255) / 16)]!)
  return `linear-gradient(to right, ${stops.map(([r, g, b]) => `rgb(${r},${g},${b})`).join(', ')})`
}
