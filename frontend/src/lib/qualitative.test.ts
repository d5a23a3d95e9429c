import { describe, expect, it } from 'vitest'

import type { ColumnEntry, FrameEntry, PredictionEntry, RunSummary } from '../api/types'
import { differenceText, frameName, parsePair, parseSort, sortText, tileGrid, TRUTH } from './qualitative'

const frame = (id: number) => ({ id, position: id, frame: `f${id}` }) as FrameEntry
const run = (id: number, loss: string) => ({ id, loss, loss_label: loss }) as RunSummary
const column = (run_id: number, label: string) => ({ run_id, label, mark: label }) as ColumnEntry
const prediction = (run_id: number, frame_id: number, rmse: number) => ({ run_id, frame_id, metrics: { rmse } }) as unknown as PredictionEntry
const data = {
  frames: [frame(2), frame(1), frame(3)],
  runs: [run(11, 'gan'), run(10, 'l1')],
  columns: [column(10, 'l1'), column(11, 'gan')],
  predictions: [prediction(10, 1, 0.5), prediction(11, 1, 0.9), prediction(10, 2, 0.8), prediction(11, 2, 0.8), prediction(10, 3, 0.1)],
}
const sorted = (text: string | undefined, pair = { a: 0, b: 1 }, lower = true) => tileGrid(data, parseSort(text), pair, lower)
const order = (text?: string, pair?: { a: number; b: number }, lower?: boolean) => sorted(text, pair, lower).rows.map((row) => row.frame.id)

describe('tileGrid', () => {
  it('has the API’s columns and leaves a gap where there is no prediction', () => {
    const grid = sorted(undefined)
    expect(grid.columns.map((c) => [c.label, c.run.id])).toEqual([['l1', 10], ['gan', 11]])
    expect(grid.rows.map((row) => row.predictions.map((p) => p?.metrics.rmse ?? null))).toEqual([[0.5, 0.9], [0.8, 0.8], [0.1, null]])
  })

  it('sorts rows by a metric’s mean, worst or best first, whichever way is better', () => {
    expect([order(), order('rmse:worst'), order('rmse:best')]).toEqual([[1, 2, 3], [2, 1, 3], [3, 1, 2]])
    expect([order('rmse:worst', undefined, false), order('rmse:best', undefined, false)]).toEqual([[3, 1, 2], [2, 1, 3]])
  })

  it('sorts rows by A less B, those without a value last', () => {
    expect(order('rmse:difference')).toEqual([2, 1, 3])
    expect(order('rmse:difference', { a: 1, b: 0 })).toEqual([1, 2, 3])
    expect(sorted('rmse:difference', { a: 1, b: 0 }).rows.map((row) => row.score)).toEqual([expect.closeTo(0.4, 12), 0, null])
    expect(sorted('rmse:difference', { a: TRUTH, b: 0 }).rows.every((row) => row.score === null)).toBe(true)
  })
})

it('the address’s words for order and pair come back as they went', () => {
  expect(['rmse:best', 'delta1:difference', 'rmse:worst'].map((text) => sortText(parseSort(text)))).toEqual(['rmse:best', 'delta1:difference', 'rmse:worst'])
  expect([parseSort('worst:'), parseSort('rmse:upside'), parseSort(3)].map(sortText)).toEqual([undefined, undefined, undefined])
  expect(parsePair(11, 'truth', data.columns)).toEqual({ a: 1, b: TRUTH })
  expect(parsePair(99, undefined, data.columns)).toEqual({ a: 0, b: 1 })
  expect([parsePair(11, undefined, data.columns), parsePair(undefined, 10, data.columns)]).toEqual([{ a: 1, b: 0 }, { a: 1, b: 0 }])
  expect(parsePair(undefined, undefined, data.columns.slice(0, 1))).toEqual({ a: 0, b: TRUTH })
})

it('a difference has its sign and unit', () => {
  const rmse = { name: 'rmse', unit: 'm' } as Parameters<typeof differenceText>[1]
  expect([differenceText(0.28, rmse), differenceText(-0.058, rmse), differenceText(null)]).toEqual(['+0.280 m', '−0.058 m', 'no value'])
})

it('splits a frame’s name into folder and file', () => {
  expect([frameName('test/00033'), frameName('a')]).toEqual([['test', '00033'], ['', 'a']])
})
