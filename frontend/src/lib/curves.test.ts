import { describe, expect, it } from 'vitest'

import type { RunCurves, Series } from '../api/types'
import { curveOrder, firstNonfinite, lastStep, mergeCurves, partTitle, positions, withStretch } from './curves'

const series = (step: number[], value: (number | null)[], nonfinite: [number, string][] = []): Series => ({
  step,
  value,
  nonfinite,
  images_seen: step.map((s) => 8 * s),
  epoch: step.map((s) => s / 10),
  wall: step.map((s) => 100 + 60 * s),
  hours: step.map((s) => s / 60),
  points: step.length,
})
const curves = (parts: Record<string, Series>): RunCurves => ({ run_id: 1, series: parts })

describe('mergeCurves', () => {
  it('appends only what lies behind the last known step', () => {
    const merged = mergeCurves(curves({ a: series([1, 2], [5, 4]) }), curves({ a: series([2, 3], [9, 3]) }))
    expect(merged.series.a!.step).toEqual([1, 2, 3])
    expect(merged.series.a!.value).toEqual([5, 4, 3])
    expect(lastStep(merged)).toBe(3)
  })

  it('keeps the place of values that are not finite', () => {
    const merged = mergeCurves(curves({ a: series([1, 2], [5, 4]) }), curves({ a: series([2, 3], [4, null], [[1, 'nan']]) }))
    expect(merged.series.a!.nonfinite).toEqual([[2, 'nan']])
    expect(firstNonfinite(merged.series.a!)).toEqual({ index: 2, kind: 'nan', last: 4 })
  })

  it('takes a curve that begins later as it is, and leaves one without news alone', () => {
    const known = curves({ a: series([1], [5]) })
    const merged = mergeCurves(known, curves({ b: series([2], [1]), a: series([1], [5]) }))
    expect(Object.keys(merged.series)).toEqual(['a', 'b'])
    expect(merged.series.a).toBe(known.series.a)
  })
})

describe('the step to go on from', () => {
  it('leaves out nothing that a slower writer still has to say', () => {
    expect(lastStep(curves({ a: series([700], [1]), b: series([690], [1]) }))).toBe(690)
    expect(lastStep(curves({ a: series([9000], [1]), ended: series([3], [1]) }))).toBe(8500)
  })

  it('counts what is new once', () => {
    const merged = mergeCurves(curves({ a: { ...series([1, 2], [5, 4]), points: 20 } }), curves({ a: { ...series([2, 3], [4, 3]), points: 2 } }))
    expect(merged.series.a!.points).toBe(21)
  })
})

describe('a closer look', () => {
  const whole = series([1, 5, 9, 13], [1, 2, null, 4], [[2, 'nan']])

  it('puts the points of a stretch in place of the thinned ones', () => {
    const closer = withStretch(whole, series([4, 5, 6], [7, 8, 9]))
    expect([closer.step, closer.value, closer.nonfinite]).toEqual([[1, 4, 5, 6, 9, 13], [1, 7, 8, 9, null, 4], [[4, 'nan']]])
  })

  it('keeps what is not finite in the stretch, and a curve that has nothing there', () => {
    expect(withStretch(whole, series([8, 9, 10], [1, null, 2], [[1, 'inf']])).nonfinite).toEqual([[3, 'inf']])
    expect(withStretch(whole, series([], []))).toBe(whole)
    expect(withStretch(whole, series([14, 15], [1, 2])).step).toEqual([1, 5, 9, 13, 14, 15])
  })
})

describe('axes', () => {
  it('give the same points by epoch, step, images and hours', () => {
    const s = series([10], [1])
    expect([positions(s, 'epoch'), positions(s, 'step'), positions(s, 'images'), positions(s, 'hours')]).toEqual([[1], [10], [80], [1 / 6]])
  })
})

describe('training curves', () => {
  it('show the loss first and drop a lone part that repeats it', () => {
    expect(curveOrder(curves({ 'train/lr': series([1], [1]), 'train/loss/l1': series([1], [2]), 'train/loss': series([1], [2]) }))).toEqual(['train/loss', 'train/lr'])
  })

  it('keep the parts of a loss that has several', () => {
    const keys = curveOrder(curves({ 'train/loss/l1': series([1], [2]), 'train/loss/gan': series([1], [3]), 'train/loss': series([1], [5]) }))
    expect(keys).toEqual(['train/loss', 'train/loss/gan', 'train/loss/l1'])
  })

  it('are titled in words', () => {
    const title = (name: string) => name.toUpperCase()
    const keys = ['train/loss', 'train/loss/gan', 'train/loss/gan_l1', 'train/loss/gan_discriminator', 'train/learning_rate']
    expect(keys.map((key) => partTitle(key, 'gan', title))).toEqual(['Training loss', 'Training loss, GAN', 'L1 part', 'Discriminator loss', 'learning rate'])
  })
})
