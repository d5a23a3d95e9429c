import { describe, expect, it } from 'vitest'

import type { RunDetail } from '../api/types'
import { againWords, attemptWords, fromWords, sentence, stateOf, waits } from './attempts'

const attempt = (n: number, from: number | null, start: string, end: string | null, outcome: string | null, last: number | null) =>
  ({ attempt: n, resumed_from: from, started_at: `2026-11-22T${start}Z`, ended_at: end && `2026-11-22T${end}Z`, outcome, last_step: last, host: 'a', device: 'cpu', reason: null })

const run = {
  kind: 'trained',
  status: 'running',
  created_at: '2026-11-22T00:00:00Z',
  step: 900,
  epoch: 9,
  attempts: [attempt(1, null, '00:38:00', '08:58:00', 'lost', 420), attempt(2, 401, '09:00:00', null, null, 900)],
} as unknown as RunDetail
const [first, second] = run.attempts as [RunDetail['attempts'][number], RunDetail['attempts'][number]]

describe('an attempt in words', () => {
  it('says how it ended and after how long', () => {
    expect([attemptWords(first, 0), stateOf(first)]).toEqual(['lost after 8 h 20 min', 'failed'])
    expect([attemptWords(second, Date.parse('2026-11-22T15:50:00Z')), stateOf(second)]).toEqual(['running for 6 h 50 min', 'running'])
  })

  it('says from where it went on, and what of the one before was trained again', () => {
    expect([fromWords(run, first), fromWords(run, second)]).toEqual(['', 'from the checkpoint at epoch 4'])
    expect([againWords(run, first), againWords(run, second)]).toEqual(['0.2 epochs trained again.', ''])
  })

  it('of one that began from scratch again lost all of the one before', () => {
    const again = { ...run, attempts: [first, { ...second, resumed_from: null }] }
    expect([fromWords(again, again.attempts[1]!), againWords(again, first)]).toEqual(['from the start', '4.2 epochs trained again.'])
  })

  it('of a script speaks of steps', () => {
    const script = { ...run, kind: 'script', epoch: 0 } as RunDetail
    expect([fromWords(script, second), againWords(script, first)]).toEqual(['from step 401', '20 steps done again.'])
  })
})

it('a reason is a sentence', () => {
  expect([sentence('its worker was lost'), sentence('Done.'), sentence('')]).toEqual(['Its worker was lost.', 'Done.', ''])
})

describe('waiting', () => {
  it('is before the first attempt and between attempts, and goes on while the run is queued', () => {
    expect(waits(run, 0)).toEqual({ first: 38 * 60, between: 120 })
    const queued = { ...run, status: 'queued', attempts: [first] } as RunDetail
    expect(waits(queued, Date.parse('2026-11-22T09:08:00Z'))).toEqual({ first: 38 * 60, between: 600 })
  })
})
