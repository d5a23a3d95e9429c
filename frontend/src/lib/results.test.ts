import { describe, expect, it } from 'vitest'

import type { MetricEntry, ResultRow } from '../api/types'
import { columnGroups, defaultOrder, levels, lowest, ownRows, parseSort, publishedRows, sortRows, sortText } from './results'

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

describe('the words above the columns', () => {
  const column = (over: Partial<MetricEntry> = {}) => ({ unit: 'm', lower_is_better: true, ideal: null, group: 'error' as const, ...over })

  it('stand once above neighbours that are read the same way', () => {
    const share = column({ unit: '%', lower_is_better: false })
    expect(columnGroups([column(), column(), share])).toEqual([
      { words: 'error, lower is better ↓', columns: 2 },
      { words: 'within threshold, %, higher is better ↑', columns: 1 },
    ])
  })

  it('say what a ratio should be, and begin anew where another kind stood between', () => {
    const ratio = column({ unit: '', lower_is_better: false, ideal: 1, group: 'sharpness' })
    const groups = columnGroups([ratio, column({ unit: 'px', group: 'sharpness' }), ratio])
    expect(groups.map((group) => group.words)).toEqual(['ratio, 1 is best', 'boundary error, px ↓', 'ratio, 1 is best'])
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
