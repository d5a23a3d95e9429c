import { readFileSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

import { assumedCamera, backProject, drawCloud, fieldOfView, pivotOf, screenOf, turned, zoomed } from './cloud'

const shared = JSON.parse(readFileSync(new URL('../../../tests/fixtures/depth_reading.json', import.meta.url), 'utf8'))
const truth = { width: shared.width, height: shared.height, values: Uint16Array.from(shared.truth) }

describe('the points of a depth map', () => {
  it('are those of depthboard.camera, without the invalid ones', () => {
    const { xyz, pixels } = backProject(truth, shared.camera)
    expect(pixels).toHaveLength(shared.points.length)
    shared.points.forEach((point: number[], k: number) => point.forEach((value, axis) => expect(xyz[3 * k + axis]).toBeCloseTo(value, 5)))
  })

  it('have the field of view that was assumed', () => {
    expect(fieldOfView(assumedCamera(320, 256, 60), 320)).toBeCloseTo(60, 9)
  })

  it('are turned about the middle depth', () => {
    expect(pivotOf({ width: 5, height: 1, values: Uint16Array.from([0, 1000, 5000, 2000, 0]) })).toBe(2)
  })
})

it('the nearest point of a line of sight is the one that is drawn', () => {
  const camera = assumedCamera(1, 1, 60)
  const near = { xyz: Float32Array.from([0, 0, 4, 0, 0, 2]), pixels: Uint32Array.from([0, 1]) }
  const screen = screenOf(9, 9, new Uint32Array(81))
  drawCloud(screen, near, Uint32Array.from([7, 8]), { yaw: 0, pitch: 0, zoom: 1 }, 3, camera, 1)
  expect(screen.words[5 * 9 + 5]).toBe(8)
})

it('a view is neither turned over nor lost by zooming', () => {
  const orbit = { yaw: 0, pitch: 0, zoom: 1 }
  expect(turned(orbit, 0, 99).pitch).toBeLessThan(Math.PI / 2)
  expect([zoomed(orbit, 1e9).zoom, zoomed(orbit, 1e-9).zoom]).toEqual([12, 0.3])
})
