/** How the depth maps are looked at, as the address holds it: the exported figure takes the same words (backend/figures/look.py). */

import type { Qualitative } from '../api/types'
import { isColourMap, type Colouring, type View } from './colouring'

export interface LookSearch {
  view?: unknown
  colours?: unknown
  percentile?: unknown
  low?: unknown
  high?: unknown
  limit?: unknown
  scaled?: unknown
  mask?: unknown
}

export interface Look extends Colouring {
  /** prediction × median(truth) / median(prediction), image by image */
  scaled: boolean
  /** predictions are hatched where there is no ground truth */
  mask: boolean
}

export const SPANS = ['2-98', '0-100', '1-99', '5-95'] as const
export type Span = (typeof SPANS)[number]

type Ranges = Pick<Qualitative, 'depth_range' | 'percentiles' | 'error_limits'>

export function spanOf(text: unknown): Span {
  return SPANS.includes(text as Span) ? (text as Span) : '2-98'
}

/** Two percentiles of the ground truth in metres, never an empty range. */
export function spanRange(span: Span, ranges: Ranges | undefined): [number, number] {
  if (!ranges) return [0, 10]
  const [low, high] = span.split('-').map((q) => ranges.percentiles[q])
  if (low === undefined || high === undefined) return ranges.depth_range
  return high > low ? [low, high] : [low - 0.5, low + 0.5]
}

export function isLocked(search: LookSearch): boolean {
  return isMetres(search.low) || isMetres(search.high)
}

function isMetres(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 65.535
}

export function lookOf(search: LookSearch, ranges: Ranges | undefined): Look {
  const view: View = search.view === 'error' || search.view === 'relative' ? search.view : 'depth'
  const span = spanRange(spanOf(search.percentile), ranges)
  const low = isMetres(search.low) ? search.low : span[0]
  const high = isMetres(search.high) ? search.high : span[1]
  const preset = ranges?.error_limits[view] ?? 1
  return {
    view,
    map: isColourMap(search.colours) ? search.colours : 'depth',
    range: high > low ? [low, high] : [low - 0.5, low + 0.5],
    limit: typeof search.limit === 'number' && search.limit > 0 ? search.limit : preset,
    scaled: search.scaled === 'yes',
    mask: search.mask === 'yes',
  }
}

/** What the range is, in a sentence. */
export function rangeWords(search: LookSearch, { range, view, limit }: Look): string {
  const [from, to] = spanOf(search.percentile).split('-')
  const which = isLocked(search) ? 'set by hand' : `the ${ordinal(Number(from))} to ${ordinal(Number(to))} percentile of the ground truth shown`
  const depth = `One depth range for all tiles, ${range[0].toFixed(2)}–${range[1].toFixed(2)} m: ${which}.`
  if (view === 'depth') return depth
  const what = view === 'error' ? `prediction − ground truth, ±${limit} m` : `(prediction − ground truth) / ground truth, ±${Number((100 * limit).toFixed(1))} %`
  return `${depth} Losses: ${what}, blue too near, orange too far.`
}

function ordinal(n: number): string {
  return `${n}${n === 1 ? 'st' : n === 2 ? 'nd' : 'th'}`
}
