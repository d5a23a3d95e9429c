/** Edges of a depth map, by the rule of backend/figures/colouring.py and of the sharpness metrics. */

import type { DepthMap } from './depth'

/** In none of the perceptual tables, nor in that of the error; the exported figure has the same. */
export const EDGE_COLOUR = [0, 240, 255] as const
const EDGE_METRES = 0.5

/** 1 where the unnormalised 3×3 Sobel magnitude exceeds half a metre, at pixels whose eight neighbours lie in the frame and have depth. */
export function edges({ width, height, values }: DepthMap): Uint8Array {
  const found = new Uint8Array(values.length)
  const least = (1000 * EDGE_METRES) ** 2
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const i = y * width + x
      const [a, b, c] = [values[i - width - 1]!, values[i - width]!, values[i - width + 1]!]
      const [d, e, f] = [values[i - 1]!, values[i]!, values[i + 1]!]
      const [g, h, j] = [values[i + width - 1]!, values[i + width]!, values[i + width + 1]!]
      if (!(a && b && c && d && e && f && g && h && j)) continue
      const right = c + 2 * f + j - a - 2 * d - g
      const down = g + 2 * h + j - a - 2 * b - c
      if (right * right + down * down > least) found[i] = 1
    }
  }
  return found
}
