import { readFileSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

import { NOT_PERCEPTUAL, painterOf, PERCEPTUAL, table, type Colouring } from './colouring'

const map = (width: number, values: number[]) => ({ width, height: values.length / width, values: Uint16Array.from(values) })
const AS_IT_IS: Colouring = { view: 'depth', map: 'depth', range: [1, 3], limit: 1 }

function rgba(colouring: Partial<Colouring>, pred: ReturnType<typeof map>, truth?: ReturnType<typeof map>): number[] {
  const words = new Uint32Array(pred.values.length)
  expect(painterOf({ ...AS_IT_IS, ...colouring })(words, pred, truth)).toBe(true)
  return [...new Uint8ClampedArray(words.buffer)]
}
const pixel = (bytes: number[], i: number) => bytes.slice(4 * i, 4 * i + 4)

describe('the fixture that Python is tested on', () => {
  const shared = JSON.parse(readFileSync(new URL('../../../tests/fixtures/depth_colouring.json', import.meta.url), 'utf8'))
  const fixture = (values: number[]) => map(shared.width, values)

  it.each([...PERCEPTUAL, ...NOT_PERCEPTUAL])('gives the same bytes here: %s', (name) => {
    expect(rgba({ map: name, range: [shared.low, shared.high] }, fixture(shared.millimetres))).toEqual(shared.rgba[name])
  })

  it.each(['error', 'relative'] as const)('gives the same bytes here: the %s', (view) => {
    const { predicted, truth, limit, rgba: wanted } = shared[view]
    expect(rgba({ view, limit }, fixture(predicted), fixture(truth))).toEqual(wanted)
  })
})

describe('colours', () => {
  it('are the ends of the table at the ends of the range, and clamped outside', () => {
    const bytes = rgba({}, map(4, [1000, 3000, 500, 9000]))
    expect(pixel(bytes, 0)).toEqual([...table('depth')[0]!, 255])
    expect(pixel(bytes, 1)).toEqual([...table('depth')[255]!, 255])
    expect(pixel(bytes, 2)).toEqual(pixel(bytes, 0))
    expect(pixel(bytes, 3)).toEqual(pixel(bytes, 1))
  })

  it('are transparent where there is no depth', () => {
    expect(rgba({}, map(1, [0]))).toEqual([0, 0, 0, 0])
  })

  it('of the depth map run from the design’s light near to its dark far', () => {
    expect(table('depth')).toHaveLength(256)
    expect(table('depth')[0]).toEqual([253, 235, 173])
  })

  it('of the error are symmetric: no error is the middle, too near blue, too far orange', () => {
    const bytes = rgba({ view: 'error' }, map(3, [2000, 1000, 3000]), map(3, [2000, 2000, 2000]))
    expect([0, 1, 2].map((i) => pixel(bytes, i).slice(0, 3))).toEqual([128, 0, 255].map((entry) => [...table('error')[entry]!]))
  })

  it('of the relative error depend on the ground truth', () => {
    const bytes = rgba({ view: 'relative', limit: 0.5 }, map(2, [1100, 4400]), map(2, [1000, 4000]))
    expect(pixel(bytes, 0)).toEqual(pixel(bytes, 1))
  })

  it('of an error are not to be had without ground truth of the same size', () => {
    const paint = painterOf({ ...AS_IT_IS, view: 'error' })
    expect([paint(new Uint32Array(2), map(2, [1, 2])), paint(new Uint32Array(2), map(2, [1, 2]), map(1, [1]))]).toEqual([false, false])
  })
})
