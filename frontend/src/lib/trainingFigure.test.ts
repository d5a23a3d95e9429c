import { describe, expect, it } from 'vitest'

import type { Series } from '../api/types'
import { balanceFigure, resumedAfter, steadyRange, trainingFigure } from './trainingFigure'

const look = { scheme: 'light', axis: 'epoch' } as const
const three: Series = { step: [1, 2, 3], epoch: [0.1, 0.2, 0.3], images_seen: [8, 16, 24], wall: [0, 60, 120], hours: [0, 0.5, 1], points: 3, value: [4, 2, null], nonfinite: [[2, 'nan']] }
const many = (values: number[]): Series => ({ step: values.map((_, i) => i), epoch: values, images_seen: values, wall: values, hours: null, points: values.length, value: values, nonfinite: [] })

describe('a training figure', () => {
  it('keeps the raw curve behind the smoothed one', () => {
    const values = [4, 2, ...Array<number>(30).fill(1)]
    const [raw, front] = trainingFigure(many(values), 0.5, look).data
    expect(raw!.y).toEqual(values)
    expect(front!.y!.slice(0, 2)).toEqual([4, expect.closeTo(8 / 3, 9)])
    expect(trainingFigure(many(values), 0, look).data).toHaveLength(1)
  })

  it('of few points is not smoothed', () => {
    expect(trainingFigure(three, 0.5, look).data.map((trace) => trace.y)).toEqual([[4, 2, null], [2]])
  })

  it('marks a divergence at its step with the last finite value', () => {
    expect(trainingFigure(three, 0, look).data.at(-1)).toMatchObject({ x: [0.3], y: [2], mode: 'markers' })
  })

  it('marks where an attempt went on, on every axis at the first point behind it', () => {
    const resumed = resumedAfter([{ resumed_from: null }, { resumed_from: 2 }])
    const place = (axis: 'epoch' | 'step' | 'hours') => (trainingFigure(three, 0, { ...look, axis }, { resumed }).layout.shapes as { x0: number }[]).map((shape) => shape.x0)
    expect(resumed).toEqual([1])
    expect([place('epoch'), place('step'), place('hours')]).toEqual([[0.2], [2], [0.5]])
  })

  it('is drawn to the end of the training where that is known, and says what x is', () => {
    expect(trainingFigure(three, 0, { ...look, end: 14 }).layout.xaxis).toMatchObject({ range: [0, 14], title: { text: 'epoch' } })
    expect(trainingFigure(three, 0, { ...look, axis: 'hours', end: 14 }).layout.xaxis).not.toHaveProperty('range')
  })
})

describe('a steady series', () => {
  it('is drawn flat: neither rounding nor nothing at all fills the axis', () => {
    expect(steadyRange([1e-17, -3e-18, null])).toEqual([-1, 1])
    expect(steadyRange([1e-3, 1e-3 + 1e-15])).toEqual([0, 2 * (1e-3 + 1e-15)])
    expect(steadyRange([-2, -2])).toEqual([-4, 0])
    expect(steadyRange([1, 1.1])).toBeNull()
    expect(steadyRange([null])).toBeNull()
  })
})

describe('the balance of D and G', () => {
  it('shows both scores and the level where D cannot tell them apart', () => {
    const figure = balanceFigure({ ...three, value: [0.9, 0.6, 0.5] }, { ...three, value: [0.1, 0.4, 0.5] }, 0, look)
    expect(figure.data.map((trace) => trace.name)).toEqual(['ground truth', 'predictions'])
    expect(figure.layout.shapes).toEqual([expect.objectContaining({ y0: 0.5, y1: 0.5 })])
  })
})
