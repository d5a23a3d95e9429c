/** Workers as cards: a card a place in which a run trains, with the GPU that it has where that is known. */

import type { CurveSet, QueueEntry, RunSummary, WorkerEntry } from '../api/types'
import { duration } from './format'

export interface Slot {
  key: string
  worker: WorkerEntry
  run: RunSummary | null
  gpu: WorkerEntry['gpus'][number] | null
  /** of the last while: per cent of the GPU, or of the cores that the training may use; null until something was recorded */
  busy: Busy | null
}

export interface Busy {
  values: readonly (number | null)[]
  /** what 100 % of the scale is */
  full: number
}

type Curves = CurveSet['curves']

/** The curves that say how busy the machine was under a run. */
export function usageKeys(workers: readonly WorkerEntry[]): string[] {
  const gpus = new Set(workers.flatMap((worker) => worker.gpus.map((gpu) => gpu.index)))
  return ['system/cpu', ...[...gpus].map((index) => `system/gpu${index}/utilisation`)]
}

/** The places of a worker: those that train first, one for all that are free. */
export function slotsOf(worker: WorkerEntry, curves: Curves): Slot[] {
  const training = worker.running.map((run): Slot => {
    const own = curves.filter((curve) => curve.run === run.id)
    const gpu = gpuOf(worker, own)
    return { key: `${worker.id} ${run.id}`, worker, run, gpu, busy: busyOf(worker, gpu, own) }
  })
  if (training.length >= worker.slots || !worker.alive) return training.length > 0 ? training : [{ key: worker.id, worker, run: null, gpu: null, busy: null }]
  const taken = new Set(training.map((slot) => slot.gpu?.index))
  const left = worker.gpus.filter((gpu) => !taken.has(gpu.index))
  return [...training, { key: worker.id, worker, run: null, gpu: left.length === 1 ? left[0]! : null, busy: null }]
}

/** The one GPU of the worker, or the one that the run says it uses. */
function gpuOf(worker: WorkerEntry, curves: Curves): Slot['gpu'] {
  if (worker.gpus.length === 1) return worker.gpus[0]!
  return worker.gpus.find((gpu) => curves.some((curve) => curve.key === `system/gpu${gpu.index}/utilisation`)) ?? null
}

function busyOf(worker: WorkerEntry, gpu: Slot['gpu'], curves: Curves): Busy | null {
  const key = gpu ? `system/gpu${gpu.index}/utilisation` : 'system/cpu'
  const curve = curves.find((one) => one.key === key)
  return curve ? { values: curve.value, full: gpu ? 100 : 100 * Math.max(1, worker.threads) } : null
}

/** `3 of 4 slots training` counts the living; one that drains offers only what it trains. */
export function counts(workers: readonly WorkerEntry[]): { working: number; slots: number } {
  const alive = workers.filter((worker) => worker.alive)
  return {
    working: alive.reduce((sum, worker) => sum + worker.running.length, 0),
    slots: alive.reduce((sum, worker) => sum + (worker.draining ? worker.running.length : worker.slots), 0),
  }
}

/** Seconds until the last run of the queue has ended; null where a start is not known or not all were read. */
export function clearIn(entries: readonly QueueEntry[], total: number): number | null {
  const waiting = entries.filter((entry) => entry.place !== null)
  if (entries.length < total || waiting.length === 0) return null
  const ends = waiting.map(({ starts_in, seconds }) => (starts_in === null || seconds === null ? null : starts_in + seconds))
  return ends.includes(null) ? null : Math.max(...(ends as number[]))
}

/** What became of a run whose worker is silent or gone. */
export function lostWords(run: RunSummary, resumes_from: number | null): string {
  if (run.status === 'running') return 'goes back to the queue when its lease ends, and resumes from its last checkpoint'
  const from = resumes_from === null ? 'will begin again: it had no checkpoint yet' : `will resume from epoch ${resumes_from < 10 ? Number(resumes_from.toFixed(1)) : Math.round(resumes_from)}`
  if (run.status === 'queued') return `went back to the queue and ${from}`
  return run.status === 'failed' ? 'has failed: it was tried as often as it may be' : `is ${run.status}`
}

/** Words for a wait: `now`, `3 h 10 min`, or a dash. */
export function startWords(seconds: number | null): string {
  if (seconds === null) return '–'
  return seconds < 1 ? 'now' : duration(seconds)
}
