/** Places in the queue: what a move by hand asks of the API. */

import type { QueueEntry } from '../api/types'
import { fixed } from './format'

export type Where = 'front' | 'up' | 'down'

/** The run that `id` shall come before when it is put at place `to` (from 0) of the others; null: behind all. */
export function beforeAt(order: readonly number[], id: number, to: number): number | null {
  return order.filter((other) => other !== id)[Math.max(0, to)] ?? null
}

/** The same for a step of the keyboard; undefined where there is nowhere to go. */
export function beforeBy(order: readonly number[], id: number, where: Where): number | null | undefined {
  const at = order.indexOf(id)
  const to = where === 'front' ? 0 : where === 'up' ? at - 1 : at + 1
  return at < 0 || to < 0 || to >= order.length || to === at ? undefined : beforeAt(order, id, to)
}

/** Why a run waits. */
export function waitWords(entry: QueueEntry, seconds: number | null): string {
  if (entry.waits === 'held') return `held: ${entry.experiments.map((e) => `${e.name} is ${e.trashed ? 'in the trash' : 'paused'}`).join(', ')}`
  if (entry.waits === 'version') return entry.run.reason ?? 'waits for a worker of its training version'
  if (entry.waits === 'backoff') return seconds !== null && seconds > 0 ? `its worker was lost, tried again in ${Math.ceil(seconds)} s` : 'its worker was lost, tried again now'
  if (entry.run.attempt === 0) return 'waits for a free worker'
  return `attempt ${entry.run.attempt + 1}, ${entry.resumes_from === null ? 'from the start' : `from epoch ${fixed(entry.resumes_from, entry.resumes_from < 10 && !Number.isInteger(entry.resumes_from) ? 1 : 0)}`}`
}
