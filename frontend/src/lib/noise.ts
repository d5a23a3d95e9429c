/** Whether a difference of two means lies beyond two standard errors of it: for colour alone, never for a verdict. */

export interface Mean {
  value: number
  std: number | null
  n: number
}

export const NOISE_RULE = 'Coloured where it lies beyond two standard errors of the difference, with three runs or more on both sides. The Overview’s verdicts are tested.'
export const BEYOND = 'beyond two standard errors of the difference'
const ERRORS = 2
/** Of two runs a standard deviation says next to nothing. */
const FEWEST = 3

/** null where there are too few runs for a colour. */
export function exceedsNoise(a: Mean, b: Mean): boolean | null {
  if (a.std === null || b.std === null || a.n < FEWEST || b.n < FEWEST) return null
  return Math.abs(a.value - b.value) > ERRORS * Math.sqrt(a.std ** 2 / a.n + b.std ** 2 / b.n)
}
