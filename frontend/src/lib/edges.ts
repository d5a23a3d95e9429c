/** Edges of a depth map, by the rule of backend/figures/colouring.py. */

import type { DepthMap } from './depth'

/** In none of the perceptual tables, nor in that of the error; the exported figure has the same. */
export const EDGE_COLOUR = [0, 240, 255] as const
const EDGE_STEP = 0.1

/**
 * 1 where a surface stands before one that is farther by a tenth: 2 − z/a − z/b > 0.1 with a and b the depths on both sides, left and right or above and below.
 * 1/z is linear over the picture of a plane, so this is 0 on floors and walls however steep they are, and the lines are one pixel wide.
 */
export function edges({ width, height, values }: DepthMap): Uint8Array {
  const found = new Uint8Array(values.length)
  const before = (z: number, a: number, b: number) => z > 0 && a > 0 && b > 0 && 2 - z / a - z / b > EDGE_STEP
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x
      const z = values[i]!
      const across = x > 0 && x < width - 1 && before(z, values[i - 1]!, values[i + 1]!)
      if (across || (y > 0 && y < height - 1 && before(z, values[i - width]!, values[i + width]!))) found[i] = 1
    }
  }
  return found
}
