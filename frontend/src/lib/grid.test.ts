import { describe, expect, it } from 'vitest'

import type { RunSummary } from '../api/types'
import { cellState, completeness, otherLevels } from './grid'

const run = (id: number, loss: string, size: number, encoder = 'dense', seed = 0) =>
  ({ id, loss, loss_label: loss, train_size: size, encoder, seed, dataset: 'rooms', status: 'finished', diverged_at: null }) as unknown as RunSummary

describe('completeness', () => {
  const grid = completeness([run(4, 'gan', 64), run(3, 'l1', 64, 'dense', 1), run(1, 'l1', 64), run(2, 'l1', 16), run(5, 'l1', 64, 'res')])

  it('orders losses as the paper does and sizes by number', () => {
    expect(grid.rows.map((row) => row.loss)).toEqual(['l1', 'gan'])
    expect(grid.groups.map((g) => [g.encoder, g.columns.map((c) => c.size)])).toEqual([['dense', [16, 64]], ['res', [64]]])
  })

  it('puts the seeds of one cell side by side', () => {
    const column = grid.groups[0]!.columns[1]!
    expect(column.cells.get('l1')!.map((r) => r.id)).toEqual([1, 3])
    expect(column.width).toBe(2)
    expect(grid.groups.flatMap((g) => g.columns.map((c) => c.start))).toEqual([0, 1, 3])
    expect(column.cells.get('gan')!).toHaveLength(1)
  })
})

describe('a cell', () => {
  it('shows a divergence before it shows that the run is done', () => {
    expect(cellState({ status: 'finished', diverged_at: 12 })).toBe('diverged')
    expect(cellState({ status: 'failed', diverged_at: 12 })).toBe('failed')
    expect(cellState({ status: 'finished', diverged_at: null })).toBe('done')
    expect(cellState({ status: 'queued' })).toBe('queued')
  })

  it('names the factors that the grid’s axes do not', () => {
    expect(otherLevels({ levels: { loss: 'l1', 'data.train_size': 5, 'optimiser.lr': 0.1 } })).toEqual([['optimiser.lr', 0.1]])
  })
})
