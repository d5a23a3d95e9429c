import { expect, it } from 'vitest'

import { bars } from './histogram'

it('gives each bin its share, and the last only where something lies beyond', () => {
  expect(bars({ bin_metres: 0.25, pixels: [1, 3, 0] })).toEqual([
    { from: 0, to: 0.25, share: 0.25 },
    { from: 0.25, to: 0.5, share: 0.75 },
  ])
  expect(bars({ bin_metres: 5, pixels: [1, 0, 1] }).at(-1)).toEqual({ from: 10, to: null, share: 0.5 })
})

it('has no bars of no pixels', () => {
  expect(bars({ bin_metres: 0.25, pixels: [0, 0] })).toEqual([])
})
