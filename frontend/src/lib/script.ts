/** Runs of people's own scripts beside those that workers train: what is known of one only where its parameters say it. */

import type { RunDetail, RunSummary } from '../api/types'
import { AXIS_TITLES, type Axis } from './curves'

type Kind = Pick<RunSummary, 'kind'>

export function isScript(run: Kind): boolean {
  return run.kind === 'script'
}

/** An experiment of scripts alone has curves to compare, and no grid of losses and sizes. */
export function onlyScripts(runs: readonly Kind[]): boolean {
  return runs.length > 0 && runs.every(isScript)
}

/** What the first columns of a table hang on: what is so of the runs in it. */
export interface RunKinds {
  scripts: boolean
  named: boolean
  /** a loss is known of some */
  lossy: boolean
  /** they were evaluated in several ways */
  evaluations: boolean
}

export const NO_KINDS: RunKinds = { scripts: false, named: false, lossy: false, evaluations: false }

export function kindsOf(runs: readonly Pick<RunSummary, 'kind' | 'name' | 'loss' | 'evaluation'>[]): RunKinds {
  const evaluations = new Set(runs.map((run) => run.evaluation).filter(Boolean))
  return { scripts: onlyScripts(runs), named: runs.some((run) => run.name), lossy: runs.some((run) => run.loss), evaluations: evaluations.size > 1 }
}

export function sameKinds(one: RunKinds, other: RunKinds): boolean {
  return (Object.keys(one) as (keyof RunKinds)[]).every((key) => one[key] === other[key])
}

/** The axes along which a run can be drawn; the first is the usual one. Images are counted by the batch size, epochs by the training images too. */
export function axesOf(run: Pick<RunSummary, 'kind' | 'train_size' | 'images_seen' | 'step'>): Axis[] {
  if (!isScript(run)) return ['epoch', 'step', 'images', 'hours']
  const images = run.step === 0 || run.images_seen > 0
  return ['step', ...(images && run.train_size > 0 ? (['epoch'] as const) : []), ...(images ? (['images'] as const) : []), 'hours']
}

export function axisLabel(axis: Axis): string {
  if (axis === 'hours') return 'Hours'
  if (axis === 'images') return 'Images'
  return AXIS_TITLES[axis][0]!.toUpperCase() + AXIS_TITLES[axis].slice(1)
}

/** Step `12 of 100`, or `12` where a script did not say how long it is. */
export function stepWords(run: Pick<RunSummary, 'step' | 'steps'>, count: (n: number) => string): string {
  return run.steps > 0 ? `step ${count(run.step)} of ${count(run.steps)}` : `step ${count(run.step)}`
}

/** The parameters that a script gave. */
export function paramsOf(run: Pick<RunDetail, 'config'>): Record<string, unknown> {
  const params = run.config.params
  return typeof params === 'object' && params !== null && !Array.isArray(params) ? (params as Record<string, unknown>) : {}
}
