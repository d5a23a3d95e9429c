import { readFileSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

import { alongLine, lineSamples, lineText, parseLine, rowLine } from './line'

const shared = JSON.parse(readFileSync(new URL('../../../tests/fixtures/depth_reading.json', import.meta.url), 'utf8'))
const truth = { width: shared.width, height: shared.height, values: Uint16Array.from(shared.truth) }

describe('a drawn line', () => {
  it('takes the pixels that Python takes', () => {
    const [au, av, bu, bv] = shared.line.ends
    const samples = lineSamples(truth, { au, av, bu, bv })
    expect(samples.map(({ x, y }) => [x, y])).toEqual(shared.line.samples)
    expect(alongLine(truth, samples)).toEqual(shared.line.metres)
    const [first, last] = [shared.line.samples[0], shared.line.samples.at(-1)]
    expect(samples.at(-1)!.distance).toBeCloseTo(Math.hypot(last[0] - first[0], last[1] - first[1]), 9)
  })

  it('of a whole row takes each of its pixels once', () => {
    expect(lineSamples({ width: 5, height: 3 }, rowLine(0.5))).toEqual([0, 1, 2, 3, 4].map((x) => ({ distance: x, x, y: 1 })))
  })

  it('is kept by the address, which refuses what is none', () => {
    const line = { au: 0.1, av: 0.2, bu: 0.9, bv: 1 }
    expect(parseLine(lineText(line))).toEqual(line)
    expect(['0,1,2', '0,0,1,1.5', 'a,b,c,d', 5].map(parseLine)).toEqual([null, null, null, null])
  })
})
