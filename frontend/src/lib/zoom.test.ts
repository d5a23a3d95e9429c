import { describe, expect, it } from 'vitest'

import { imagePoint, pan, parseView, tilePoint, viewText, WHOLE, zoomAt } from './zoom'

describe('the shared view', () => {
  it('holds the point under the cursor still while zooming', () => {
    const before = imagePoint(WHOLE, 0.3, 0.7)
    const view = zoomAt(WHOLE, 2, 0.3, 0.7)
    expect(imagePoint(view, 0.3, 0.7)).toEqual({ u: expect.closeTo(before.u, 12), v: expect.closeTo(before.v, 12) })
    expect(tilePoint(view, before.u, before.v)).toEqual({ u: expect.closeTo(0.3, 12), v: expect.closeTo(0.7, 12) })
  })

  it('never shows what lies outside the image', () => {
    expect(zoomAt(zoomAt(WHOLE, 2, 1, 1), 0.1, 0, 0)).toEqual(WHOLE)
    expect(pan({ scale: 2, x: -0.5, y: -0.5 }, 9, -9)).toEqual({ scale: 2, x: 0, y: -1 })
    expect(zoomAt(WHOLE, 1e6, 0.5, 0.5).scale).toBe(16)
  })

  it('lives in the address, and nonsense there means the whole image', () => {
    const view = zoomAt(WHOLE, 2.5, 0.5, 0.25)
    expect(parseView(viewText(view))).toEqual({ scale: 2.5, x: -0.75, y: -0.375 })
    expect([viewText(WHOLE), parseView('a,b'), parseView(undefined), parseView('99,0,0')]).toEqual([undefined, WHOLE, WHOLE, WHOLE])
  })
})
