import { describe, expect, it } from 'vitest'

import type { QueueEntry } from '../api/types'
import { beforeAt, beforeBy, waitWords } from './queue'

const order = [11, 12, 13, 14]

describe('a run moved in the queue', () => {
  it('comes before the one whose place it takes', () => {
    expect(beforeAt(order, 14, 0)).toBe(11)
    expect(beforeAt(order, 11, 2)).toBe(14)
    expect(beforeAt(order, 11, 3)).toBeNull()
  })

  it('goes one place up or down or to the front, and nowhere from the ends', () => {
    expect(beforeBy(order, 13, 'up')).toBe(12)
    expect(beforeBy(order, 12, 'down')).toBe(14)
    expect(beforeBy(order, 13, 'down')).toBeNull()
    expect(beforeBy(order, 13, 'front')).toBe(11)
    for (const where of ['up', 'front'] as const) expect(beforeBy(order, 11, where)).toBeUndefined()
    expect(beforeBy(order, 14, 'down')).toBeUndefined()
    expect(beforeBy(order, 99, 'up')).toBeUndefined()
  })
})

describe('a run that waits', () => {
  const entry = (over: object) => ({ waits: 'worker', experiments: [{ id: 1, name: 'Losses', paused: true, trashed: false }], run: { attempt: 0, step: 0 }, ...over }) as unknown as QueueEntry

  it('says what for', () => {
    expect(waitWords(entry({}), null)).toBe('waits for a free worker')
    expect(waitWords(entry({ run: { attempt: 1 }, resumes_from: 4.25 }), null)).toBe('attempt 2, from epoch 4.3')
    expect(waitWords(entry({ run: { attempt: 1 }, resumes_from: null }), null)).toBe('attempt 2, from the start')
    expect(waitWords(entry({ waits: 'held' }), null)).toBe('held: Losses is paused')
    expect(waitWords(entry({ waits: 'backoff' }), 4.2)).toBe('its worker was lost, tried again in 5 s')
    expect(waitWords(entry({ waits: 'backoff' }), -1)).toBe('its worker was lost, tried again now')
  })
})
