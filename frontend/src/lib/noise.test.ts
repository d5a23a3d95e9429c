import { expect, it } from 'vitest'

import { exceedsNoise } from './noise'

it('asks whether a difference exceeds two standard errors of it', () => {
  // errors 0.03 and 0.04: together 0.05
  const base = { value: 0.5, std: 0.06, n: 4 }
  expect(exceedsNoise({ value: 0.61, std: 0.08, n: 4 }, base)).toBe(true)
  expect(exceedsNoise({ value: 0.59, std: 0.08, n: 4 }, base)).toBe(false)
})

it('says nothing of fewer than three runs on either side', () => {
  const base = { value: 0.5, std: 0.06, n: 4 }
  const two = { value: 0.9, std: 0.01, n: 2 }
  expect(exceedsNoise(two, base)).toBeNull()
  expect(exceedsNoise(base, two)).toBeNull()
  expect(exceedsNoise({ ...two, n: 3 }, base)).toBe(true)
  expect(exceedsNoise({ value: 0.9, std: null, n: 1 }, base)).toBeNull()
})
