import { expect, it } from 'vitest'

import type { Series } from '../api/types'
import { balanceWords, lastSmoothed } from './balance'

it('the balance of a GAN is said by the gap between D’s two scores', () => {
  expect(balanceWords(0.51, 0.49)).toMatch(/^Balanced/)
  expect(balanceWords(0.7, 0.3)).toMatch(/somewhat/)
  expect(balanceWords(0.98, 0.03)).toMatch(/with ease/)
  expect(balanceWords(0.3, 0.6)).toMatch(/lost the thread/)
  expect(balanceWords(null, 0.5)).toBe('')
})

it('the gap is judged on many batches, not on the last', () => {
  expect(lastSmoothed({ value: [...Array<number>(200).fill(0.5), 1, null] } as Series)).toBeCloseTo(0.525, 3)
  expect(lastSmoothed({ value: [null] } as Series)).toBeNull()
})
