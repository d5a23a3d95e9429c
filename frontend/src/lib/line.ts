/** Depth along a line that a person draws over an image. */

import { pixelAt, type DepthMap } from './depth'

/** From A to B, in shares of the image's width and height. */
export interface Line {
  au: number
  av: number
  bu: number
  bv: number
}

export interface Sample {
  /** pixels from A */
  distance: number
  x: number
  y: number
}

/**
 * The pixels on the line from the one under A to the one under B: as many steps as the longer side has pixels, each taken at the nearest pixel (a half goes up).
 * Nearest and not interpolated: a mean over an edge, or with a pixel without depth, is nobody's depth.
 */
export function lineSamples(size: { width: number; height: number }, line: Line): Sample[] {
  const a = pixelAt(size, line.au, line.av)
  const b = pixelAt(size, line.bu, line.bv)
  const [dx, dy] = [b.x - a.x, b.y - a.y]
  const steps = Math.max(Math.abs(dx), Math.abs(dy), 1)
  const length = Math.hypot(dx, dy)
  return Array.from({ length: steps + 1 }, (_, i) => ({
    distance: (length * i) / steps,
    x: Math.floor(a.x + (dx * i) / steps + 0.5),
    y: Math.floor(a.y + (dy * i) / steps + 0.5),
  }))
}

/** Metres at each sample, null where invalid. */
export function alongLine(map: DepthMap, samples: readonly Sample[]): (number | null)[] {
  return samples.map(({ x, y }) => {
    const value = map.values[y * map.width + x]!
    return value > 0 ? value / 1000 : null
  })
}

/** The whole row of pixels through a point: what is shown until a line is drawn. */
export function rowLine(v: number): Line {
  return { au: 0, av: v, bu: 1, bv: v }
}

/** As the address keeps it: `0.1,0.5,0.9,0.5`. */
export function lineText(line: Line): string {
  return [line.au, line.av, line.bu, line.bv].map((n) => Number(n.toFixed(4))).join(',')
}

export function parseLine(text: unknown): Line | null {
  const parts = typeof text === 'string' ? text.split(',').map(Number) : []
  if (parts.length !== 4 || parts.some((n) => !(n >= 0 && n <= 1))) return null
  return { au: parts[0]!, av: parts[1]!, bu: parts[2]!, bv: parts[3]! }
}
