/** Curves that grow: newer points are appended to those at hand. */

import type { RunCurves, Series } from '../api/types'
import { own } from './own'

/** Writers of different keys may be this many steps apart: what one of them says late is still asked for. */
const APART = 500

/** The step after which curves are asked for: every one that still grows has been read up to it. Undefined where there are none. */
export function lastStep(curves: RunCurves): number | undefined {
  const steps = Object.values(curves.series).flatMap((series) => series.step.at(-1) ?? [])
  return steps.length > 0 ? Math.max(Math.min(...steps), Math.max(...steps) - APART) : undefined
}

/** `known` with the points of `newer` behind its own; points at or before the last known step are left out. */
export function mergeCurves(known: RunCurves, newer: RunCurves): RunCurves {
  const series = { ...known.series }
  for (const [key, added] of Object.entries(newer.series)) {
    const old = series[key]
    series[key] = old ? appendSeries(old, added) : added
  }
  return { ...known, series }
}

function appendSeries(old: Series, added: Series): Series {
  const last = old.step.at(-1) ?? -1
  const start = added.step.findIndex((step) => step > last)
  if (start < 0) return old
  const shift = old.step.length - start
  const cut = <T>(a: T[], b: T[]) => a.concat(b.slice(start))
  return {
    step: cut(old.step, added.step),
    images_seen: cut(old.images_seen, added.images_seen),
    epoch: cut(old.epoch, added.epoch),
    wall: cut(old.wall, added.wall),
    value: cut(old.value, added.value),
    hours: old.hours && added.hours ? cut(old.hours, added.hours) : null,
    points: old.points + Math.max(0, added.points - start),
    nonfinite: [...old.nonfinite, ...added.nonfinite.filter(([i]) => i >= start).map((entry) => [entry[0] + shift, entry[1]] as typeof entry)],
  }
}

/** `known` with the points of `closer`, which is the same curve on a stretch of it, in place of its own there. */
export function withStretch(known: Series, closer: Series): Series {
  const [first, last] = [closer.step[0], closer.step.at(-1)]
  if (first === undefined || last === undefined) return known
  const before = known.step.findIndex((step) => step >= first)
  const [head, tail] = [before < 0 ? known.step.length : before, known.step.findLastIndex((step) => step <= last) + 1]
  const put = <T>(a: T[], b: T[]) => [...a.slice(0, head), ...b, ...a.slice(tail)]
  const shift = head + closer.step.length - tail
  const moved = (entries: Series['nonfinite'], by: number) => entries.map(([i, kind]) => [i + by, kind] as (typeof entries)[number])
  return {
    step: put(known.step, closer.step),
    images_seen: put(known.images_seen, closer.images_seen),
    epoch: put(known.epoch, closer.epoch),
    wall: put(known.wall, closer.wall),
    value: put(known.value, closer.value),
    hours: known.hours && closer.hours ? put(known.hours, closer.hours) : null,
    points: known.points,
    nonfinite: [
      ...known.nonfinite.filter(([i]) => i < head),
      ...moved(closer.nonfinite, head),
      ...moved(known.nonfinite.filter(([i]) => i >= tail), shift),
    ],
  }
}

export type Axis = 'epoch' | 'step' | 'images' | 'hours'

export const AXIS_TITLES: Record<Axis, string> = { epoch: 'epoch', step: 'step', images: 'training images seen', hours: 'hours of training' }

export function positions(series: Series, axis: Axis): (number | null)[] {
  if (axis === 'hours') return series.hours ?? series.step.map(() => null)
  return { epoch: series.epoch, step: series.step, images: series.images_seen }[axis]
}

/** The first value that is not finite and the last finite one before it: a divergence is marked, never a silent gap. */
export function firstNonfinite(series: Series): { index: number; kind: string; last: number | null } | null {
  const first = series.nonfinite[0]
  if (!first) return null
  const last = series.value.slice(0, first[0]).findLast((value) => value !== null)
  return { index: first[0], kind: first[1], last: last ?? null }
}

const KEY_TITLES: Record<string, string> = { 'train/loss': 'Training loss', 'train/lr': 'Learning rate', 'train/grad_norm': 'Gradient norm' }

const PART_TITLES: Record<string, string> = {
  adversarial: 'Adversarial part',
  discriminator: 'Discriminator loss',
  score_fake: 'Score of predictions',
  score_real: 'Score of ground truth',
}

/** `train/loss/gan` of a run of that loss is the whole of it, `train/loss/gan_l1` one of its parts. */
export function partTitle(key: string, loss: string, lossTitle: (name: string) => string): string {
  const known = own(KEY_TITLES, key)
  if (known) return known
  const part = /^train\/loss\/(.+)$/.exec(key)?.[1]
  if (!part) return key.replace(/^train\//, '').replaceAll('_', ' ')
  if (part === loss) return `Training loss, ${lossTitle(loss)}`
  const name = part.startsWith(`${loss}_`) ? part.slice(loss.length + 1) : part
  return own(PART_TITLES, name) ?? `${lossTitle(name).replaceAll('_', ' ')} part`
}

/** What the machine did while the run trained has a place of its own. */
export const SYSTEM = 'system/'

/** Training curves in the order people read them: the loss, its parts, then the rest; a lone part that repeats the loss is left out. */
export function curveOrder(curves: RunCurves): string[] {
  const rank = (key: string) => (key === 'train/loss' ? 0 : key.startsWith('train/loss/') ? 1 : 2)
  const keys = Object.keys(curves.series).filter((key) => !key.startsWith(SYSTEM)).toSorted((a, b) => rank(a) - rank(b) || a.localeCompare(b, 'en', { numeric: true }))
  const parts = keys.filter((key) => rank(key) === 1)
  const only = parts[0]
  const same = parts.length === 1 && only && sameValues(curves.series['train/loss'], curves.series[only])
  return same ? keys.filter((key) => key !== only) : keys
}

function sameValues(a: Series | undefined, b: Series | undefined): boolean {
  return a !== undefined && b !== undefined && a.value.length === b.value.length && a.value.every((value, i) => value === b.value[i])
}
