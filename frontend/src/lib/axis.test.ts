import { describe, expect, it } from 'vitest'

import { niceTicks, polyline } from './axis'

describe('ticks', () => {
  it('are round and enclose the values', () => {
    expect(niceTicks(1.3, 6.4, 5)).toEqual([0, 2, 4, 6, 8])
    expect(niceTicks(0.61, 0.64, 3)).toEqual([0.61, 0.62, 0.63, 0.64])
  })

  it('survive a single value and none', () => {
    expect(niceTicks(2, 2, 4).length).toBeGreaterThan(1)
    expect(niceTicks(Infinity, -Infinity, 4)).toEqual([])
  })
})

it('a line breaks where a value is missing', () => {
  expect(polyline([1, 2, null, 3], (i) => i, (v) => v)).toBe('M0.0 1.0L1.0 2.0M3.0 3.0')
})
