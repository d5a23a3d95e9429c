import { describe, expect, it } from 'vitest'

import { concerns, dryGrid } from './dryrun'
import { canonical } from './spec'

const cell = (levels: Record<string, unknown>, exists = false) => ({ levels, exists, run_id: null, status: null })

describe('the dry run’s grid', () => {
  const grid = dryGrid([
    cell({ loss: 'gan', 'data.train_size': 64, seed: 0 }),
    cell({ loss: 'l1', 'data.train_size': 64, seed: 0 }, true),
    cell({ loss: 'l1', 'data.train_size': 64, seed: 1 }),
    cell({ loss: 'l1', 'data.train_size': 16, seed: 0 }),
    cell({ loss: 'l1', 'data.train_size': 64, 'network.encoder': 'resnet_small', seed: 0 }),
  ])

  it('has a row a loss and a column an encoder and size', () => {
    expect(grid.rows).toEqual(['l1', 'gan'])
    expect(grid.columns).toEqual([
      { encoder: null, words: '16' },
      { encoder: null, words: '64' },
      { encoder: 'resnet_small', words: '64' },
    ])
  })

  it('counts what is new and what exists over the seeds', () => {
    expect(grid.counts[0]).toEqual([{ fresh: 1, known: 0 }, { fresh: 1, known: 1 }, { fresh: 1, known: 0 }])
    expect(grid.counts[1]![1]).toEqual({ fresh: 1, known: 0 })
  })

  it('names what else varies', () => {
    expect(dryGrid([cell({ 'optimiser.lr': 0.001 })])).toMatchObject({ rows: ['all'], columns: [{ words: 'lr 0.001' }] })
  })
})

it('finds the field that an error names', () => {
  const at = (field: string, path: string) => concerns(field, path, canonical)
  expect([at('factors.size', 'data.train_size'), at('data.train_size', 'data.train_size'), at('loss.lam', 'loss'), at('base.optimiser.lr', 'optimiser.lr')]).toEqual([true, true, true, true])
  expect([at('losses', 'loss'), concerns(null, 'loss', canonical)]).toEqual([false, false])
})
