/** The game of a GAN in words: what the discriminator's scores say of who is ahead. */

import type { Series } from '../api/types'
import { smooth } from './smoothing'

/** Single batches scatter; this is judged on some tens of the last. */
const WEIGHT = 0.95
/** D's scores are 1 for what it takes for ground truth and 0 for what it takes for a prediction. */
const NEAR = 0.1
const FAR = 0.5

export function lastSmoothed(series: Series): number | null {
  return smooth(series.value, WEIGHT).findLast((value) => value !== null) ?? null
}

export function balanceWords(real: number | null, fake: number | null): string {
  if (real === null || fake === null) return ''
  const gap = real - fake
  if (gap > FAR) return 'D tells them apart with ease: the network learns little from it now.'
  if (gap > NEAR) return 'D tells them apart somewhat.'
  if (gap < -NEAR) return 'D takes predictions for ground truth: it has lost the thread.'
  return 'Balanced: D cannot tell them apart.'
}
