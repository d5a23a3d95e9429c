import { QueryClient } from '@tanstack/react-query'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { advance, LiveCache, runPatch, staleBy } from './liveCache'
import type { LiveEvent, RunSummary } from './types'

const event = (over: Partial<LiveEvent>): LiveEvent => ({ kind: 'run', run_id: 7, experiment_ids: [3], data: {}, ...over })

describe('an event', () => {
  it('of new points touches only the curves of its run, the figure of them, and comparisons that hold the run', () => {
    expect(staleBy(event({ kind: 'points' })).map((stale) => stale.key)).toEqual([['run', 7, 'curves'], ['runs', 'compare'], ['experiment', 3, 'figure', 'curves']])
  })

  it('of an evaluation touches the figures of every experiment that links the run', () => {
    const keys = staleBy(event({ kind: 'evaluation', experiment_ids: [3, 4] })).map((stale) => JSON.stringify(stale.key))
    expect(keys).toContain('["experiment",3,"figure"]')
    expect(keys).toContain('["experiment",4,"results"]')
    expect(keys).toContain('["experiment",4,"sharpness"]')
  })

  it('of an evaluation touches the figures of all runs, since it is in the band of other seeds', () => {
    expect(staleBy(event({ kind: 'evaluation' }))).toContainEqual({ key: ['run-figure'], slow: true })
  })

  it('of an experiment touches saved views, and what tables of runs are filtered by', () => {
    const keys = staleBy(event({ kind: 'experiment' })).map((stale) => stale.key)
    for (const key of ['views', 'run-names', 'run-differing']) expect(keys).toContainEqual([key])
  })

  it('patches only fields of a run', () => {
    expect(runPatch(event({ data: { step: 12, status: 'running', secret: 1 } }))).toEqual({ step: 12, status: 'running' })
  })
})

describe('a run that went on', () => {
  const run = { id: 7, step: 100, steps: 500, images_seen: 800, epoch: 2, images_per_second: 40, eta_seconds: 80 } as RunSummary

  it('has its epoch, images and time left carried along', () => {
    expect(advance(run, { step: 300 })).toMatchObject({ step: 300, images_seen: 2400, epoch: 6, eta_seconds: 40 })
  })

  it('is read again only when its state changes', () => {
    expect(staleBy(event({}), true).map((stale) => stale.key)).toEqual([['experiments'], ['experiment', 3]])
    expect(staleBy(event({})).map((stale) => stale.key)).toContainEqual(['experiment', 3, 'runs'])
  })
})

describe('LiveCache', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('writes progress in place, in the run and in the lists that show it', () => {
    const client = new QueryClient()
    client.setQueryData(['run', 7], { id: 7, step: 0 })
    client.setQueryData(['experiment', 3, 'runs', {}], [{ id: 7, step: 0 }, { id: 8, step: 1 }])
    new LiveCache(client).apply(event({ data: { step: 5 } }))
    expect(client.getQueryData(['run', 7])).toEqual({ id: 7, step: 5 })
    expect(client.getQueryData(['experiment', 3, 'runs', {}])).toEqual([{ id: 7, step: 5 }, { id: 8, step: 1 }])
  })

  it('writes progress into pages of runs too, and reads them again when a state changes', () => {
    const client = new QueryClient()
    const page = { items: [{ id: 7, step: 0 }], total: 1, page: 1, size: 200 }
    client.setQueryData(['experiment', 3, 'run-page', {}, {}], page)
    client.setQueryData(['runs', 'page', {}], page)
    new LiveCache(client).apply(event({ data: { step: 5 } }))
    for (const key of [['experiment', 3, 'run-page', {}, {}], ['runs', 'page', {}]]) {
      expect(client.getQueryData(key)).toEqual({ ...page, items: [{ id: 7, step: 5 }] })
    }
    expect(staleBy(event({})).map((stale) => stale.key)).toContainEqual(['experiment', 3, 'run-page'])
  })

  it('reads a comparison again where the run is in it, its settings and its figures', () => {
    const client = new QueryClient()
    const holding = [['runs', 'compare', '3,7'], ['runs', 'compare', '7', 'curves', 'light', {}]]
    const other = ['runs', 'compare', '70,71']
    for (const key of [...holding, other]) client.setQueryData(key, {})
    const cache = new LiveCache(client)
    cache.apply(event({ kind: 'evaluation' }))
    cache.apply(event({ kind: 'points', run_id: 8 }))
    vi.advanceTimersByTime(3000)
    for (const key of holding) expect(client.getQueryState(key)?.isInvalidated).toBe(true)
    expect(client.getQueryState(other)?.isInvalidated).toBe(false)
  })

  it('fetches once for many events', () => {
    const client = new QueryClient()
    const invalidate = vi.spyOn(client, 'invalidateQueries')
    const cache = new LiveCache(client)
    for (let i = 0; i < 50; i++) cache.apply(event({ kind: 'points' }))
    vi.advanceTimersByTime(1000)
    expect(invalidate).toHaveBeenCalledTimes(1)
    vi.advanceTimersByTime(10_000)
    expect(invalidate).toHaveBeenCalledTimes(3)
  })
})
