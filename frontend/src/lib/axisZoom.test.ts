import { describe, expect, it } from 'vitest'

import { axisZoomText, parseAxisZoom, synced, withZoom, zoomOf, zoomUpdate } from './axisZoom'

const layout = { xaxis: { range: [0, 10] }, xaxis2: { range: [0, 4] }, yaxis: {}, yaxis2: { range: [0, 1] } }

describe('the part of its axes that a chart shows', () => {
  it('goes into the address and comes back', () => {
    const zoom = { x: [2, 5.1234567], y2: [-0.5, 0.25] } as const
    expect(axisZoomText(zoom)).toBe('x:2,5.12346;y2:-0.5,0.25')
    expect(parseAxisZoom('x:2,5.12346;y2:-0.5,0.25')).toEqual({ x: [2, 5.12346], y2: [-0.5, 0.25] })
    expect(axisZoomText({})).toBeUndefined()
  })

  it('is nothing where the address makes no sense', () => {
    expect([parseAxisZoom('x:a,b'), parseAxisZoom('<script>'), parseAxisZoom(3), parseAxisZoom('x:1,1')]).toEqual([{}, {}, {}, {}])
  })

  it('is what differs from the whole figure', () => {
    const full = { xaxis: { range: [2, 5] }, xaxis2: { range: [0, 4] }, yaxis: { range: [0, 3], autorange: true }, yaxis2: { range: [0, 0.5] } }
    expect(zoomOf(layout as never, full)).toEqual({ x: [2, 5], y2: [0, 0.5] })
    expect(zoomOf(layout as never, { ...full, yaxis: { range: [0, 3], autorange: false } })).toHaveProperty('y', [0, 3])
  })

  it('is put into the layout, and undone by the figure’s own axes', () => {
    expect(withZoom(layout as never, { x: [2, 5], x9: [0, 1] })).toMatchObject({ xaxis: { range: [2, 5], autorange: false }, xaxis2: { range: [0, 4] } })
    const full = { xaxis: { range: [2, 5] }, yaxis: { range: [0, 3], autorange: false } }
    expect(zoomUpdate(layout as never, full, {})).toEqual({ 'xaxis.range': [0, 10], 'yaxis.autorange': true })
    expect(zoomUpdate(layout as never, full, { x: [2, 5], y: [0, 3] })).toEqual({})
  })

  it('is the same share of every panel where they go together', () => {
    const whole = { x: [0, 10], x2: [0, 4] } as const
    expect(synced({ x: [2, 5], y: [0, 1] }, {}, whole)).toEqual({ x: [2, 5], x2: [0.8, 2], y: [0, 1] })
    expect(synced({ x2: [0.8, 2] }, { x: [2, 5], x2: [0.8, 2] }, whole), 'one panel reset resets all').toEqual({})
    expect(synced({ y: [0, 1] }, {}, whole)).toEqual({ y: [0, 1] })
  })
})
