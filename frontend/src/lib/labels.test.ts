import { expect, it } from 'vitest'

import { placeLabels, type Point } from './labels'

const box = { left: 0, top: 0, right: 400, bottom: 200 }
const line = (label: string, y: (x: number) => number) => ({ label, points: Array.from({ length: 201 }, (_, i): Point => ({ x: 2 * i, y: y(2 * i) })) })

it('writes each name near its line, inside the drawing, and none over another', () => {
  const lines = [line('L1', (x) => x / 2), line('L2', (x) => 200 - x / 2), line('Huber', () => 100)]
  const placed = placeLabels(lines, box)
  expect(placed.map((p) => p.label)).toEqual(['L1', 'L2', 'Huber'])
  for (const [i, at] of placed.entries()) {
    expect(Math.min(...lines[i]!.points.map((p) => Math.hypot(p.x - at.x, p.y - at.y)))).toBeLessThan(20)
    expect(at.y).toBeGreaterThan(0)
    expect(at.y).toBeLessThan(200)
  }
})

it('leaves a name out where the line is not seen', () => {
  expect(placeLabels([line('away', () => 900)], box)).toEqual([])
})

it('keeps off what is taken', () => {
  const right = { left: 200, top: 0, right: 400, bottom: 200 }
  expect(placeLabels([line('L1', () => 100)], box, [right])[0]!.x).toBeLessThan(200)
})
