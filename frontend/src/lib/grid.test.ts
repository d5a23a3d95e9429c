import { describe, expect, it } from 'vitest'

import type { RunSummary } from '../api/types'
import { between, cellState, completeness, gaps, markState, otherLevels } from './grid'

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

describe('a range', () => {
  const grid = completeness([run(1, 'l1', 16), run(2, 'l1', 64), run(3, 'l2', 16), run(4, 'l2', 64), run(5, 'gan', 16), run(6, 'gan', 64, 'res')])

  it('holds all marks over the rows and columns between two', () => {
    expect(between(grid, 1, 4).map((mark) => mark.id)).toEqual([1, 2, 3, 4])
    expect(between(grid, 5, 1).map((mark) => mark.id)).toEqual([1, 3, 5])
    expect(between(grid, 6, 4).map((mark) => mark.id)).toEqual([4, 6])
    expect(between(grid, 1, 99)).toEqual([])
  })
})

describe('a cell', () => {
  it('may have no run, and still has its place', () => {
    const cell = { levels: { loss: 'l1' }, loss: 'l1', loss_label: 'l1', train_size: 64, encoder: 'dense', dataset: 'rooms', seed: 3 }
    const [gap] = gaps([cell])
    expect([gap!.id, markState(gap!)]).toEqual([-1, 'missing'])
    const column = completeness([run(1, 'l1', 64), gap!]).groups[0]!.columns[0]!
    expect(column.cells.get('l1')!.map((mark) => mark.id)).toEqual([1, -1])
  })

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
