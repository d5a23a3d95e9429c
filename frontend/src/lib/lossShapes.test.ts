import { readFileSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

import { bimodalCost, cheapest, invariance, KNOB, LAMBDA, NO_CURVE, scaleCost, SHAPES, type Knobs } from './lossShapes'
import { LOSS_TOKENS } from './losses'

const fixture = JSON.parse(readFileSync(new URL('../../../tests/fixtures/loss_shapes.json', import.meta.url), 'utf8'))
const near = (a: number, b: number) => Math.abs(a - b) <= 1e-11 + 1e-9 * Math.abs(b)

interface Row {
  name: string
  knobs: Knobs
  residual: number
  value_slope: [number, number]
}

describe('the fixture that the worker computed', () => {
  it.each(Object.keys(SHAPES))('has the same values and slopes here: %s', (name) => {
    const rows = (fixture.one_error as Row[]).filter((row) => row.name === name)
    expect(rows).toHaveLength(36)
    for (const { residual, knobs, value_slope } of rows) {
      const shape = SHAPES[name]!
      expect([shape.value(residual, knobs), shape.slope(residual, knobs)], `${residual} ${JSON.stringify(knobs)}`).toSatisfy(
        ([value, slope]: number[]) => near(value!, value_slope[0]) && near(slope!, value_slope[1]),
        `as torch: ${value_slope}`,
      )
    }
  })

  it('has the same cost of a wrong scale here', () => {
    for (const { name, scale, lam, value } of fixture.wrong_scale) expect(scaleCost(name, scale, lam), `${name} ×${scale}, λ ${lam}`).toSatisfy((cost: number) => near(cost, value), `${value}`)
  })

  it('has the same cost of a pixel with two depths here', () => {
    for (const { name, pred, share, knobs, value } of fixture.two_answers)
      expect(bimodalCost(name, pred, share, knobs), `${name} ${pred} m, p ${share}`).toSatisfy((cost: number) => near(cost, value), `${value}`)
  })
})

describe('a pixel with two depths', () => {
  const knobs = { c: 0.4, lam: 0.5, s: 0 }

  it('is predicted at the mean by L2, which is no depth it has', () => {
    expect(cheapest('l2', 0.6, knobs)).toEqual([2.8, 2.8])
  })

  it('is predicted on the side of the majority by L1, and anywhere when there is none', () => {
    expect(cheapest('l1', 0.6, knobs)).toEqual([2, 2])
    expect(cheapest('l1', 0.4, knobs)).toEqual([4, 4])
    expect(cheapest('l1', 0.5, knobs)).toEqual([2, 4])
  })

  it('is predicted at the geometric mean by Eigen, wherever when λ is 1', () => {
    expect(cheapest('eigen', 0.5, knobs)![0]).toBeCloseTo(Math.sqrt(8), 3)
    expect(cheapest('eigen', 0.5, { ...knobs, lam: 1 })).toEqual([2, 4])
  })

  it('is pulled off the majority a little by Huber and far by BerHu', () => {
    expect(cheapest('huber', 0.6, knobs)![0]).toBeCloseTo(2 + 0.4 * (2 / 3), 2)
    expect(cheapest('berhu', 0.6, knobs)![0]).toBeGreaterThan(2.5)
  })
})

it('says of every loss that it has a curve or why it has none', () => {
  for (const name of Object.keys(LOSS_TOKENS)) expect([name in SHAPES, name in NO_CURVE], name).toContain(true)
  expect(Object.keys({ ...KNOB, ...LAMBDA }).every((name) => name in SHAPES)).toBe(true)
})

it('forgives a scale by the share that λ says', () => {
  expect(invariance('eigen', 1)).toEqual({ word: 'yes', kind: 'yes' })
  expect(invariance('eigen', 0.5).word).toBe('half')
  expect(invariance('eigengrad', 0.5).word).toBe('25 %')
  expect(invariance('l1', 0.5).word).toBe('no')
  expect(scaleCost('eigen', 1.3, 0.5)).toBeCloseTo(0.0344, 4)
  expect(scaleCost('eigen_as_released', 1.3, 0.5)).toBeCloseTo(0.0688, 4)
  expect(scaleCost('gan', 1.3, 0.5)).toBeNull()
})
