/** Whether a difference of two means is more than the scatter of their runs explains: for colour alone, never for a verdict. */

export interface Mean {
  value: number
  std: number | null
  n: number
}

export const NOISE_RULE = 'Coloured where it exceeds two standard errors of the difference; else it may be the scatter of the runs. The Overview’s verdicts are tested.'
const ERRORS = 2

/** null where a spread is not known: of one run. */
export function exceedsNoise(a: Mean, b: Mean): boolean | null {
  if (a.std === null || b.std === null || a.n < 2 || b.n < 2) return null
  return Math.abs(a.value - b.value) > ERRORS * Math.sqrt(a.std ** 2 / a.n + b.std ** 2 / b.n)
}
