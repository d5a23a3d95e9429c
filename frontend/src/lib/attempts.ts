/** A run's attempts in words: who tried, for how long, how it ended, and what had to be done again. */

import type { RunDetail } from '../api/types'
import { count, duration, fixed, parseTime } from './format'
import type { CellState } from './grid'
import { isScript } from './script'

export type Attempt = RunDetail['attempts'][number]
type Timed = Pick<RunDetail, 'kind' | 'created_at' | 'attempts' | 'status' | 'step' | 'epoch'>

const OUTCOMES: Record<string, string> = { finished: 'done', failed: 'failed', lost: 'lost', cancelled: 'cancelled', queued: 'given back' }
const GLYPHS: Record<string, CellState> = { finished: 'done', failed: 'failed', lost: 'failed', cancelled: 'cancelled', queued: 'queued' }

export function stateOf(attempt: Attempt): CellState {
  return attempt.ended_at ? (GLYPHS[attempt.outcome ?? ''] ?? 'queued') : 'running'
}

/** `lost after 8 h 20 min`, `running for 6 h 50 min` */
export function attemptWords(attempt: Attempt, now: number): string {
  const seconds = ((attempt.ended_at ? parseTime(attempt.ended_at) : now) - parseTime(attempt.started_at)) / 1000
  return attempt.ended_at ? `${OUTCOMES[attempt.outcome ?? ''] ?? 'ended'} after ${duration(seconds)}` : `running for ${duration(seconds)}`
}

/** `from the checkpoint at epoch 4`; nothing for the first attempt from scratch. */
export function fromWords(run: Timed, { attempt, resumed_from }: Attempt): string {
  if (!resumed_from) return attempt > 1 ? 'from the start' : ''
  return isScript(run) ? `from step ${count(resumed_from)}` : `from the checkpoint at ${place(run, resumed_from - 1)}`
}

/** What an attempt had done behind the step from which the next one went on. */
export function againWords(run: Timed, attempt: Attempt): string {
  const next = run.attempts.find((other) => other.attempt > attempt.attempt)
  if (!next || attempt.last_step == null) return ''
  const lost = attempt.last_step - Math.max(0, (next.resumed_from ?? 1) - 1)
  if (lost <= 0) return ''
  return perEpoch(run) ? `${epochs(run, lost)} trained again.` : `${count(lost)} ${lost === 1 ? 'step' : 'steps'} done again.`
}

/** A reason as a sentence: capital first, full stop last. */
export function sentence(reason: string): string {
  const words = reason.trim()
  return words === '' ? '' : words[0]!.toUpperCase() + words.slice(1) + (/[.!?]$/.test(words) ? '' : '.')
}

/** Seconds in which nobody had the run: from when it was queued to the first attempt, and between attempts. */
export function waits(run: Timed, now: number): { first: number; between: number } {
  const starts = run.attempts.map((attempt) => parseTime(attempt.started_at))
  const until = run.status === 'queued' && run.attempts.length === 0 ? now : (starts[0] ?? parseTime(run.created_at))
  const first = Math.max(0, until - parseTime(run.created_at)) / 1000
  const ends = run.attempts.map((attempt) => (attempt.ended_at ? parseTime(attempt.ended_at) : null))
  const gaps = starts.slice(1).map((start, i) => (ends[i] == null ? 0 : Math.max(0, start - ends[i]!)))
  const last = run.status === 'queued' && ends.at(-1) != null ? Math.max(0, now - ends.at(-1)!) : 0
  return { first, between: (gaps.reduce((sum, gap) => sum + gap, 0) + last) / 1000 }
}

function perEpoch(run: Timed): number {
  return run.step > 0 ? run.epoch / run.step : 0
}

function place(run: Timed, step: number): string {
  const epoch = step * perEpoch(run)
  return epoch > 0 ? `epoch ${short(epoch)}` : `step ${count(step)}`
}

function epochs(run: Timed, steps: number): string {
  const share = steps * perEpoch(run)
  return `${short(share)} ${share === 1 ? 'epoch' : 'epochs'}`
}

function short(epoch: number): string {
  return fixed(epoch, epoch < 10 && !Number.isInteger(epoch) ? 1 : 0)
}
