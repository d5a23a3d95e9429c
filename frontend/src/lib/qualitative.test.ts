import { describe, expect, it } from 'vitest'

import type { FrameEntry, PredictionEntry, RunSummary } from '../api/types'
import { errorLimit, frameName, tileGrid } from './qualitative'

const frame = (id: number) => ({ id, position: id, frame: `f${id}` }) as FrameEntry
const run = (id: number, loss: string) => ({ id, loss, loss_label: loss }) as RunSummary
const prediction = (run_id: number, frame_id: number, rmse: number) => ({ run_id, frame_id, metrics: { rmse } }) as unknown as PredictionEntry
const data = {
  frames: [frame(2), frame(1), frame(3)],
  runs: [run(11, 'gan'), run(10, 'l1')],
  predictions: [prediction(10, 1, 0.5), prediction(11, 1, 0.9), prediction(10, 2, 0.8), prediction(11, 2, 0.8), prediction(10, 3, 0.1)],
}
const order = (by: Parameters<typeof tileGrid>[1]) => tileGrid(data, by, 'rmse').rows.map((row) => row.frame.id)

describe('tileGrid', () => {
  it('puts losses in the paper’s order and leaves a gap where there is no prediction', () => {
    const grid = tileGrid(data, 'position', 'rmse')
    expect(grid.runs.map((r) => r.loss)).toEqual(['l1', 'gan'])
    expect(grid.rows.map((row) => row.predictions.map((p) => p?.metrics.rmse ?? null))).toEqual([[0.5, 0.9], [0.8, 0.8], [0.1, null]])
  })

  it('sorts rows by error or by how much the losses differ', () => {
    expect([order('position'), order('worst'), order('best'), order('difference')]).toEqual([[1, 2, 3], [2, 1, 3], [3, 1, 2], [1, 2, 3]])
  })
})

it('the error’s range is a round number above the usual error', () => {
  const many = [0.4, 0.5, 9].map((rmse, i) => prediction(1, i, rmse))
  expect([errorLimit(many), errorLimit([]), errorLimit([], true)]).toEqual([1, 1, 0.25])
})

it('splits a frame’s name into folder and file', () => {
  expect([frameName('test/00033'), frameName('a')]).toEqual([['test', '00033'], ['', 'a']])
})
