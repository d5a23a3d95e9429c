import { describe, expect, it } from 'vitest'

import type { RunSummary } from '../api/types'
import { parseFilter } from './filter'

const run = (over: object) =>
  ({ id: 1, loss: 'l1', loss_label: 'l1', train_size: 64, encoder: 'densenet_small', dataset: 'rooms', seed: 0, status: 'finished', levels: {}, metrics: {}, ...over }) as unknown as RunSummary
const runs = [
  run({ id: 1, metrics: { rmse: 0.6 } }),
  run({ id: 2, loss: 'eigen', loss_label: 'eigen lam=1', train_size: 12000, metrics: { rmse: 0.7 }, levels: { 'optimiser.lr': 0.001 } }),
  run({ id: 3, loss: 'gan', loss_label: 'gan', encoder: 'resnet_small', status: 'failed', metrics: { rmse: null } }),
]
const ids = (text: string) => {
  const { match } = parseFilter(text, ['rmse', 'mae'])
  return match && runs.filter(match).map((r) => r.id)
}

describe('the runs filter', () => {
  it('finds plain words anywhere in a run', () => {
    expect([ids(''), ids('resnet'), ids('eigen lam'), ids('FAILED')]).toEqual([[1, 2, 3], [3], [2], [3]])
  })

  it('compares numbers, with k for thousands', () => {
    expect([ids('size >= 12k'), ids('rmse < 0.65'), ids('rmse != 0.6'), ids('lr = 1e-3')]).toEqual([[2], [1], [2, 3], [2]])
  })

  it('joins clauses with and, takes lists and wildcards', () => {
    expect(ids('loss in (l1, eigen) and encoder = dense* and rmse < 0.65')).toEqual([1])
  })

  it('says what it does not understand', () => {
    expect(parseFilter('colour = red', []).error).toContain('no column is called colour')
    expect(parseFilter('size > many', []).error).toContain('many is not a number')
  })
})
