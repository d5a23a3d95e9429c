import { describe, expect, it } from 'vitest'

import { heightOfValue, pixelOf, placeOf, standAt, valueAt } from './crosshair'

const small = { axis: 'x', end: 500, images: 16 }
const large = { axis: 'x2', end: 13, images: 5000 }
const both = [small, large]

describe('the crosshair', () => {
  it('stands at the same share of each panel’s training', () => {
    expect([standAt(small, 0.5, 'share', both), standAt(large, 0.5, 'share', both)]).toEqual([{ x: 250, ended: false }, { x: 6.5, ended: false }])
    expect(placeOf(large, 6.5, 'share', both)).toBe(0.5)
  })

  it('stands at the same training images, and parks where a panel ends before', () => {
    // 65 000 images at most; a tenth is 6500, of which the first panel has 8000
    expect(standAt(small, 0.1, 'images', both)).toEqual({ x: 406.25, ended: false })
    expect(standAt(large, 0.1, 'images', both)).toEqual({ x: 1.3, ended: false })
    expect(standAt(small, 0.5, 'images', both)).toEqual({ x: 500, ended: true })
    expect(placeOf(small, 406.25, 'images', both)).toBeCloseTo(0.1, 12)
    expect(placeOf(large, 99, 'images', both)).toBe(1)
  })

  it('is drawn where its value is, on linear and on log axes', () => {
    const box = { axis: 'x', left: 50, top: 20, width: 300, height: 200, range: [0, 10] as [number, number], end: 10, log: false, yRange: [0, 1] as [number, number], yLog: false }
    expect([pixelOf(box, 5), pixelOf(box, 10), pixelOf(box, 11), valueAt(box, 200)]).toEqual([200, 350, null, 5])
    const log = { ...box, range: [0, 2] as [number, number], log: true }
    expect([pixelOf(log, 10), pixelOf(log, 0), valueAt(log, 200)]).toEqual([200, null, 10])
    expect([heightOfValue(box, 0.25), heightOfValue(box, 2)]).toEqual([170, null])
    expect(heightOfValue({ ...box, yRange: [-2, 0], yLog: true }, 0.1)).toBe(120)
  })
})
