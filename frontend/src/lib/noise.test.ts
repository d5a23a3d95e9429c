import { expect, it } from 'vitest'

import { exceedsNoise } from './noise'

it('asks whether a difference exceeds two standard errors of it', () => {
  // errors 0.03 and 0.04: together 0.05
  const base = { value: 0.5, std: 0.06, n: 4 }
  expect(exceedsNoise({ value: 0.61, std: 0.08, n: 4 }, base)).toBe(true)
  expect(exceedsNoise({ value: 0.59, std: 0.08, n: 4 }, base)).toBe(false)
  expect(exceedsNoise({ value: 0.9, std: null, n: 1 }, base)).toBeNull()
})
