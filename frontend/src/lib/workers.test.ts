import { describe, expect, it } from 'vitest'

import type { QueueEntry, RunSummary, WorkerEntry } from '../api/types'
import { clearIn, counts, lostWords, slotsOf, startWords, usageKeys } from './workers'

const gpu = (index: number) => ({ index, name: 'H200', uuid: `u${index}`, utilisation: 90, memory_used: 1, memory_total: 2, power: null, temperature: null })
const run = (id: number, over: Partial<RunSummary> = {}) => ({ id, status: 'running', ...over }) as RunSummary
const worker = (over: Partial<WorkerEntry>) => ({ id: 'w', host: 'lab', alive: true, draining: false, threads: 1, slots: 1, gpus: [], running: [], lost: [], ...over }) as unknown as WorkerEntry
const curve = (id: number, key: string, ...value: number[]) => ({ run: id, key, value, nonfinite: [] }) as never

describe('the cards of a worker', () => {
  const two = worker({ slots: 2, gpus: [gpu(0), gpu(1)], running: [run(7)] })

  it('name the GPU that a run says it uses, and the one that is left free', () => {
    const [training, free] = slotsOf(two, [curve(7, 'system/gpu1/utilisation', 95, 96), curve(8, 'system/gpu0/utilisation', 1)])
    expect([training!.run!.id, training!.gpu!.index, training!.busy]).toEqual([7, 1, { values: [95, 96], full: 100 }])
    expect([free!.run, free!.gpu!.index]).toEqual([null, 0])
  })

  it('name no GPU where that is not known yet', () => {
    expect(slotsOf(two, []).map((slot) => slot.gpu)).toEqual([null, null])
  })

  it('on a host without a GPU show the share of the cores that a training may use', () => {
    expect(slotsOf(worker({ threads: 4, running: [run(7)] }), [curve(7, 'system/cpu', 380)])[0]!.busy).toEqual({ values: [380], full: 400 })
    expect(usageKeys([two])).toEqual(['system/cpu', 'system/gpu0/utilisation', 'system/gpu1/utilisation'])
  })

  it('of one that is gone are its runs, or one card', () => {
    expect(slotsOf(worker({ alive: false, slots: 4 }), [])).toHaveLength(1)
    expect(slotsOf(worker({ alive: false, slots: 4, running: [run(1), run(2)] }), [])).toHaveLength(2)
  })
})

describe('the line at the top', () => {
  it('counts the slots of those that live, of one that drains only those that train', () => {
    expect(counts([worker({ slots: 2, running: [run(1)] }), worker({ slots: 4, draining: true, running: [run(2)] }), worker({ alive: false, running: [run(3)] })])).toEqual({ working: 2, slots: 3 })
  })

  it('says when the queue is clear, if every start is known', () => {
    const entry = (starts_in: number | null, seconds: number | null, place: number | null = 1) => ({ starts_in, seconds, place }) as QueueEntry
    expect(clearIn([entry(0, 50), entry(20, 10), entry(null, null, null)], 3)).toBe(50)
    expect(clearIn([entry(0, 50), entry(20, null)], 2)).toBeNull()
    expect(clearIn([entry(0, 50)], 2)).toBeNull()
    expect(clearIn([], 0)).toBeNull()
    expect([startWords(null), startWords(0.4), startWords(11400)]).toEqual(['–', 'now', '3 h 10 min'])
  })
})

it('a lost worker says what became of its run', () => {
  expect(lostWords(run(1, { status: 'queued' }), 18.2)).toBe('went back to the queue and will resume from epoch 18')
  expect(lostWords(run(1, { status: 'queued' }), null)).toMatch(/begin again/)
  expect(lostWords(run(1), 3)).toMatch(/when its lease ends/)
  expect(lostWords(run(1, { status: 'failed' }), 3)).toMatch(/as often as it may be/)
})
