import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

import { parseWeight, smooth, smoothed } from './smoothing'

const shared = JSON.parse(readFileSync(new URL('../../../tests/fixtures/smoothing.json', import.meta.url), 'utf8'))
interface Case {
  name: string
  values: (number | null)[]
  weight: number
  smoothed: (number | null)[]
}
const near = (value: number | null) => (value === null ? null : expect.closeTo(value, 5))

describe('smooth', () => {
  it.each(shared.cases as Case[])('gives what Python gives: $name', ({ values, weight, smoothed: due }) => {
    expect(smooth(values, weight)).toEqual(due.map(near))
  })

  it('starts at the first value instead of being pulled to zero', () => {
    expect(smooth([4, 4, 4], 0.9)).toEqual([4, 4, 4].map((v) => expect.closeTo(v, 12)))
  })

  it('leaves a gap where a value is missing and carries on behind it', () => {
    const result = smooth([1, null, 3], 0.5)
    expect(result[1]).toBeNull()
    expect(result[2]).toBeCloseTo((0.5 * 1 + 3) / 1.5, 12)
  })
})

describe('a smoothed figure', () => {
  it('is the one that Python draws', () => {
    const found = smoothed(shared.figure, shared.weight)
    const due = shared.smoothed_figure.data.map((trace: { y: number[] }) => ({ ...trace, y: trace.y.map(near) }))
    expect(found.data).toEqual(due)
    expect(found.layout).toEqual(shared.smoothed_figure.layout)
  })

  it('is itself without smoothing', () => {
    expect(smoothed(shared.figure, 0)).toBe(shared.figure)
  })
})

it('reads a weight from the address', () => {
  expect([parseWeight(0.6), parseWeight('x'), parseWeight(-1), parseWeight(3), parseWeight(undefined)]).toEqual([0.6, 0, 0, 0.99, 0])
})
