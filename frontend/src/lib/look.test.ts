import { describe, expect, it } from 'vitest'

import { isLocked, lookOf, rangeWords, spanRange } from './look'

const ranges = { depth_range: [1, 7] as [number, number], percentiles: { '0': 0.5, '2': 1, '98': 7, '100': 9.5 }, error_limits: { error: 1, relative: 0.25 } }

describe('the look', () => {
  it('is the 2nd to 98th percentile in magma unless the address says otherwise', () => {
    expect(lookOf({}, ranges)).toEqual({ view: 'depth', map: 'depth', range: [1, 7], limit: 1, scaled: false, mask: false })
    expect(lookOf({ percentile: '0-100', colours: 'turbo' }, ranges)).toMatchObject({ range: [0.5, 9.5], map: 'turbo' })
    expect(lookOf({ low: 2, high: 4, view: 'relative', scaled: 'yes' }, ranges)).toMatchObject({ range: [2, 4], limit: 0.25, scaled: true })
  })

  it('ignores what makes no sense', () => {
    expect(lookOf({ colours: 'rainbow', view: 'x', low: -1, high: 'y', limit: 0, percentile: '9' }, ranges)).toEqual(lookOf({}, ranges))
    expect(lookOf({ low: 5, high: 5 }, ranges).range).toEqual([4.5, 5.5])
  })

  it('has a range even where there is no ground truth', () => {
    expect(spanRange('0-100', { ...ranges, percentiles: {} })).toEqual([1, 7])
    expect(spanRange('2-98', undefined)).toEqual([0, 10])
  })

  it('says its range in words', () => {
    expect(rangeWords({}, lookOf({}, ranges))).toBe('One depth range for all tiles, 1.00–7.00 m: the 2nd to 98th percentile of the ground truth shown.')
    const held = { low: 2, high: 4, view: 'error' }
    expect(isLocked(held)).toBe(true)
    expect(rangeWords(held, lookOf(held, ranges))).toBe('One depth range for all tiles, 2.00–4.00 m: set by hand. Losses: prediction − ground truth, ±1 m, blue too near, orange too far.')
  })
})
