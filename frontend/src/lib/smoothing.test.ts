import { describe, expect, it } from 'vitest'

import { smooth } from './smoothing'

describe('smooth', () => {
  it('returns the values themselves at weight 0', () => {
    expect(smooth([3, null, 1], 0)).toEqual([3, null, 1])
  })

  it('starts at the first value instead of being pulled to zero', () => {
    expect(smooth([4, 4, 4], 0.9)).toEqual([4, 4, 4].map((v) => expect.closeTo(v, 12)))
  })

  it('is the weighted mean of all values so far', () => {
    expect(smooth([1, 3], 0.5)[1]).toBeCloseTo((0.5 * 1 + 3) / 1.5, 12)
  })

  it('leaves a gap where a value is missing and carries on behind it', () => {
    const result = smooth([1, null, 3], 0.5)
    expect(result[1]).toBeNull()
    expect(result[2]).toBeCloseTo((0.5 * 1 + 3) / 1.5, 12)
  })
})
