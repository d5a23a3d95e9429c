/** Curves that grow: newer points are appended to those at hand. */

import type { RunCurves, Series } from '../api/types'
import { own } from './own'

/** The last step that every curve has reached; undefined where there are none. */
export function lastStep(curves: RunCurves): number | undefined {
  const steps = Object.values(curves.series).flatMap((series) => series.step.at(-1) ?? [])
  return steps.length > 0 ? Math.max(...steps) : undefined
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
    nonfinite: [...old.nonfinite, ...added.nonfinite.filter(([i]) => i >= start).map((entry) => [entry[0] + shift, entry[1]] as typeof entry)],
  }
}

export type Axis = 'epoch' | 'step' | 'images' | 'time'

export const AXIS_TITLES: Record<Axis, string> = { epoch: 'epoch', step: 'step', images: 'images seen', time: 'time since start (min)' }

export interface Timed {
  step: number
  images_seen: number
  epoch: number
  wall: number
}

/** A row's place on the chosen axis; `origin` is the wall time of the run's start in seconds. */
export function position(row: Timed, axis: Axis, origin: number): number {
  if (axis === 'step') return row.step
  if (axis === 'images') return row.images_seen
  return axis === 'epoch' ? row.epoch : (row.wall - origin) / 60
}

export function positions(series: Series, axis: Axis, origin: number): number[] {
  if (axis === 'step') return series.step
  if (axis === 'images') return series.images_seen
  return axis === 'epoch' ? series.epoch : series.wall.map((wall) => (wall - origin) / 60)
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

/** Training curves in the order people read them: the loss, its parts, then the rest; a lone part that repeats the loss is left out. */
export function curveOrder(curves: RunCurves): string[] {
  const rank = (key: string) => (key === 'train/loss' ? 0 : key.startsWith('train/loss/') ? 1 : 2)
  const keys = Object.keys(curves.series).toSorted((a, b) => rank(a) - rank(b) || a.localeCompare(b))
  const parts = keys.filter((key) => rank(key) === 1)
  const only = parts[0]
  const same = parts.length === 1 && only && sameValues(curves.series['train/loss'], curves.series[only])
  return same ? keys.filter((key) => key !== only) : keys
}

function sameValues(a: Series | undefined, b: Series | undefined): boolean {
  return a !== undefined && b !== undefined && a.value.length === b.value.length && a.value.every((value, i) => value === b.value[i])
}
