import { describe, expect, it } from 'vitest'

import type { ResultRow } from '../api/types'
import { defaultOrder, levels, lowest, ownRows, parseSort, publishedRows, sortRows, sortText } from './results'

const row = (over: Partial<ResultRow>): ResultRow => ({
  kind: 'run',
  label: 'l1',
  loss: 'l1',
  encoder: 'dense',
  train_size: 64,
  dataset: 'rooms',
  n: 1,
  run_ids: [],
  values: { rmse: 0.6 },
  spread: {},
  note: null,
  ...over,
})
const rows = [
  row({ label: 'l2', values: { rmse: 0.7 } }),
  row({ label: 'l1' }),
  row({ label: 'gan', values: { rmse: null } }),
  row({ label: 'l1', train_size: 512, values: { rmse: 0.5 } }),
  row({ kind: 'constant', label: 'constant', loss: null, encoder: null, values: { rmse: 1.3 } }),
  row({ kind: 'published', label: 'Paper', encoder: null, train_size: null, dataset: 'NYUv2', values: { rmse: 0.1 } }),
]

describe('sorting', () => {
  it('puts rows without a value last in both directions', () => {
    const own = ownRows(rows, { train_size: 64 })
    expect(sortRows(own, { key: 'rmse', descending: false }).map((r) => r.label)).toEqual(['l1', 'l2', 'constant', 'gan'])
    expect(sortRows(own, { key: 'rmse', descending: true }).map((r) => r.label)).toEqual(['constant', 'l2', 'l1', 'gan'])
  })

  it('begins with the largest size, the constant prediction behind its runs', () => {
    const order = defaultOrder(ownRows(rows, {})).map((r) => [r.train_size, r.label])
    expect(order).toEqual([[512, 'l1'], [64, 'l1'], [64, 'l2'], [64, 'gan'], [64, 'constant']])
  })

  it('is written into the address and read from it', () => {
    const fallback = { key: 'rmse', descending: false }
    expect(parseSort(undefined, fallback)).toBe(fallback)
    expect(parseSort(sortText({ key: 'delta1', descending: true }), fallback)).toEqual({ key: 'delta1', descending: true })
  })
})

describe('quoted rows', () => {
  it('are kept apart from ours', () => {
    expect(ownRows(rows, {}).some((r) => r.kind === 'published')).toBe(false)
    expect(publishedRows(rows).map((r) => r.label)).toEqual(['Paper'])
    expect(levels(rows, 'train_size')).toEqual([64, 512])
    expect(levels(rows, 'dataset')).toEqual(['rooms'])
  })
})

describe('the lowest list', () => {
  it('names the two lowest of each size with the constant prediction of the same data', () => {
    const [small, large] = lowest(rows, 'rmse')
    expect(small!.rows.map((r) => r.label)).toEqual(['l1', 'l2'])
    expect(small!.constant!.values.rmse).toBe(1.3)
    expect(large!.rows[0]!.train_size).toBe(512)
    expect(large!.constant).toBeNull()
  })
})
