import { expect, it } from 'vitest'

import { thinned } from './thinned'

it('keeps the first and the last of equally spaced items', () => {
  expect(thinned([1, 2, 3], 8)).toEqual([1, 2, 3])
  expect(thinned([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 4)).toEqual([0, 3, 6, 9])
})
