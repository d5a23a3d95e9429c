import { describe, expect, it } from 'vitest'

import { clicked, columnOf, delta, differingColumns, join, lossAsked, moved, pagesFor, parseSorts, sortMark, sortsText, sparkPath, sparkRange, split, toggled, widthWithin, type Spark } from './runTable'

const line = (y: (number | null)[]): Spark => ({ run_id: 1, x: y.map((_, i) => i / Math.max(1, y.length - 1)), y, best: null, best_epoch: null })

describe('sorting by several', () => {
  it('is written as names with commas between, and read back', () => {
    const sorts = [{ key: 'size', descending: true }, { key: 'metric.a,b', descending: false }]
    expect(sortsText(sorts)).toBe('-size,metric.a%2Cb')
    expect(parseSorts('-size,metric.a%2Cb')).toEqual(sorts)
    expect([parseSorts(undefined), sortsText([])]).toEqual([[], undefined])
  })

  it('by a click is by that alone, and a second click turns it round', () => {
    const once = clicked([], 'rmse', false, false)
    expect(sortsText(once)).toBe('rmse')
    expect(sortsText(clicked(once, 'rmse', false, false))).toBe('-rmse')
    expect(sortsText(clicked(parseSorts('loss,-rmse'), 'rmse', false, false))).toBe('rmse')
    expect(sortsText(clicked([], 'delta1', true, false))).toBe('-delta1')
  })

  it('with Shift joins, turns round, goes', () => {
    const sorts = ['size', 'size,rmse', 'size,-rmse', 'size']
    for (const [i, text] of sorts.slice(0, -1).entries()) expect(sortsText(clicked(parseSorts(text), 'rmse', false, true))).toBe(sorts[i + 1])
  })

  it('is by five at most, as the server sorts: a sixth takes the place of the last', () => {
    expect(sortsText(clicked(parseSorts('a,b,c,d,-e'), 'f', true, true))).toBe('a,b,c,d,-f')
    expect(sortsText(clicked(parseSorts('a,b,c,d'), 'f', false, true))).toBe('a,b,c,d,f')
  })

  it('shows an arrow up for the smallest first, with its place among several', () => {
    expect(sortMark(parseSorts('rmse'), 'rmse')).toBe('↑')
    expect([sortMark(parseSorts('-size,rmse'), 'size'), sortMark(parseSorts('-size,rmse'), 'rmse'), sortMark(parseSorts('rmse'), 'size')]).toEqual(['↓₁', '↑₂', ''])
  })
})

describe('columns', () => {
  it('go into the address and come back, whatever their names hold', () => {
    const names = ['loss', 'param.a,b', 'metric.100%', 'metric.%2C']
    expect(split(join(names))).toEqual(names)
    expect(split('loss,,loss,rmse')).toEqual(['loss', 'rmse'])
  })

  it('show a setting once, whoever named it', () => {
    expect(['budget.batch_size', 'batch_size', 'data.train_size', 'optimiser.lr'].map(columnOf)).toEqual(['batch_size', 'batch_size', 'size', 'param.optimiser.lr'])
    expect(differingColumns(['budget.batch_size', 'batch_size', 'loss.name', 'loss.threshold', 'optimiser.lr'])).toEqual(['batch_size', 'loss', 'param.optimiser.lr'])
  })

  it('are moved, and stay within widths that can be read', () => {
    expect(moved(['a', 'b', 'c'], 0, 2)).toEqual(['b', 'c', 'a'])
    expect(moved(['a', 'b', 'c'], 2, -1)).toEqual(['c', 'a', 'b'])
    expect([widthWithin(3), widthWithin(90.4), widthWithin(5000)]).toEqual([44, 90, 800])
  })
})

describe('pages', () => {
  it('are those in sight and one on either side', () => {
    expect(pagesFor(0, 30, 10_000, 200)).toEqual([1, 2])
    expect(pagesFor(390, 430, 10_000, 200)).toEqual([1, 2, 3, 4])
    expect(pagesFor(9970, 9999, 10_000, 200)).toEqual([49, 50])
    expect(pagesFor(0, 0, 0, 200)).toEqual([1])
  })
})

describe('sparklines', () => {
  it('share a range that the early, large values do not stretch', () => {
    const falling = line([9, ...Array.from({ length: 20 }, (_, i) => 1 - i * 0.02)])
    expect(sparkRange([falling])).toEqual([0.6000000000000001, 1].map((v) => expect.closeTo(v)))
    expect(sparkRange([line([null])])).toBeNull()
    expect(sparkRange([line([2, 2])])).toEqual([2, 2.0005].map((v) => expect.closeTo(v, 2)))
  })

  it('end at the edge above the range, and have gaps where nothing finite is', () => {
    expect(sparkPath(line([3, 1, null, 0.5, 0]), [0, 1], 80, 10)).toBe('M0.0 0.0L20.0 0.0M60.0 5.0L80.0 10.0')
  })
})

describe('the difference to the base', () => {
  it('is better or worse as the metric goes, and none where it is not to be seen', () => {
    expect(delta(0.6, 0.621, true, 3)).toEqual({ value: expect.closeTo(-0.021), verdict: 'better' })
    expect(delta(0.82, 0.8, false, 3)?.verdict).toBe('better')
    expect(delta(0.7, 0.621, true, 3)?.verdict).toBe('worse')
    expect(delta(0.62104, 0.621, true, 3)).toEqual({ value: 0, verdict: 'same' })
    expect(delta(null, 0.6, true, 3)).toBeNull()
  })
})

it('a selection takes a run in and lets it go', () => {
  const one = toggled(new Set(), 4)
  expect([...one]).toEqual([4])
  expect(toggled(one, 4).size).toBe(0)
})

it('the loss that a filter asks for by name is known', () => {
  expect(lossAsked('loss = berhu and rmse < 0.5')).toBe('berhu')
  expect(lossAsked('rmse < 0.5 and (loss = "l1")')).toBe('l1')
  expect([lossAsked('loss != l1'), lossAsked('loss in (l1)'), lossAsked('')]).toEqual([null, null, null])
})
