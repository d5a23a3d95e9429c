/** Smoothing for the eye only: what is published is never smoothed. */

/**
 * Exponential moving average, debiased as in Adam: s_i = Σ w^(i−j) y_j / Σ w^(i−j) over the finite y_j so far.
 * `weight` 0 returns the values, towards 1 it smooths more. A missing value stays missing and does not count.
 */
export function smooth(values: readonly (number | null)[], weight: number): (number | null)[] {
  if (weight <= 0) return [...values]
  let sum = 0
  let mass = 0
  return values.map((value) => {
    if (value === null || !Number.isFinite(value)) return null
    sum = sum * weight + value
    mass = mass * weight + 1
    return sum / mass
  })
}
