import { describe, expect, it } from 'vitest'

import type { EvaluationEntry, Series } from '../api/types'
import { LOSS_TOKENS } from './losses'
import { evaluationFigure, isOwn, resumedOf, trainingFigure } from './runFigure'

const look = { scheme: 'light', axis: 'epoch', origin: 0 } as const
const evaluation = (step: number, delta1: number | null, predictor = 'network') =>
  ({ step, epoch: step / 10, images_seen: 8 * step, wall: step, predictor, per_image: { delta1 }, pooled: { delta1: 0.1 } }) as unknown as EvaluationEntry
const delta1 = { name: 'delta1', label: 'δ<1.25', unit: '%' }
const figure = evaluationFigure([evaluation(0, 0.3, 'constant'), evaluation(50, 0.6), evaluation(100, null)], delta1, 'per_image', LOSS_TOKENS.l2!, { constant: 0.4, resumed: [{ step: 50, wall: 300, words: 'attempt 2' }] }, look)

describe('the evaluation figure', () => {
  it('draws the network’s values in drawn units, in the colour and dash of the loss', () => {
    expect(figure.data[0]).toMatchObject({ x: [5, 10], y: [60, null], line: { color: '#a13a00', dash: '8px,3px' } })
  })

  it('shows the constant prediction and where an attempt resumed', () => {
    expect(figure.layout.shapes).toEqual([expect.objectContaining({ y0: 40, xref: 'paper' }), expect.objectContaining({ x0: 5, xref: 'x' })])
    expect(figure.layout.annotations!.map((note) => note.text)).toEqual(['╌ constant prediction 40.0 %', 'attempt 2'])
  })
})

describe('a resumed attempt', () => {
  const attempts = [
    { attempt: 1, resumed_from: null, started_at: '1970-01-01T00:00:10Z' },
    { attempt: 2, resumed_from: 51, started_at: '1970-01-01T00:05:00Z' },
    { attempt: 3, resumed_from: null, started_at: '1970-01-01T00:09:00Z' },
  ]
  const resumed = resumedOf(attempts)
  const marked = (axis: 'epoch' | 'step' | 'time') =>
    (evaluationFigure([evaluation(50, 0.6)], delta1, 'per_image', LOSS_TOKENS.l2!, { constant: null, resumed }, { ...look, axis }).layout.shapes as { x0: number }[]).map((shape) => shape.x0)

  it('is marked at its step, on the axis of time when it began', () => {
    expect(resumed).toEqual([{ step: 50, wall: 300, words: 'attempt 2, resumed from step 50' }])
    expect([marked('epoch'), marked('step'), marked('time')]).toEqual([[5], [50], [5]])
  })

  it('is marked in the training curves too', () => {
    const series: Series = { step: [1, 2], epoch: [0.1, 0.2], images_seen: [8, 16], wall: [0, 60], value: [4, 2], nonfinite: [] }
    expect(trainingFigure(series, 0, look, resumed).layout.shapes).toEqual([expect.objectContaining({ x0: 5 })])
  })
})

describe('a run\'s own evaluations', () => {
  it('leave out another part, another protocol and what was scored again', () => {
    const own = { split: 'test', protocol: 'none-v2', rescored: false } as EvaluationEntry
    const rows = [own, { ...own, split: 'validation' }, { ...own, protocol: 'none-v1' }, { ...own, rescored: true }]
    expect(rows.map((row) => isOwn(row, { split: 'test', protocol: 'none-v2' }))).toEqual([true, false, false, false])
  })
})

describe('a training figure', () => {
  const series: Series = { step: [1, 2, 3], epoch: [0.1, 0.2, 0.3], images_seen: [8, 16, 24], wall: [0, 60, 120], value: [4, 2, null], nonfinite: [[2, 'nan']] }

  it('keeps the raw curve behind the smoothed one', () => {
    expect(trainingFigure(series, 0.5, look).data.map((trace) => trace.y)).toEqual([[4, 2, null], [4, expect.closeTo(8 / 3, 9), null], [2]])
    expect(trainingFigure(series, 0, look).data).toHaveLength(2)
  })

  it('marks a divergence at its step with the last finite value', () => {
    expect(trainingFigure(series, 0, look).data.at(-1)).toMatchObject({ x: [0.3], y: [2], mode: 'markers' })
  })
})
