import { readFileSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

import { colourDepth, colourError, decodeDepth, depthRange, metresAt, profile, relativeError, signedError, table } from './depth'

const map = (width: number, values: number[]) => ({ width, height: values.length / width, values: Uint16Array.from(values) })
const pixel = (rgba: Uint8ClampedArray, i: number) => Array.from(rgba.subarray(4 * i, 4 * i + 4))

describe('decodeDepth', () => {
  it('reads little-endian millimetres row by row', () => {
    const bytes = Uint8Array.from([0x01, 0x00, 0xe8, 0x03, 0x00, 0x00, 0xff, 0xff])
    expect([...decodeDepth(bytes.buffer, 2, 2).values]).toEqual([1, 1000, 0, 65535])
  })

  it('refuses a buffer of the wrong length', () => {
    expect(() => decodeDepth(new ArrayBuffer(6), 2, 2)).toThrow('3 values where 2 × 2')
  })
})

describe('the fixture that Python is tested on', () => {
  const shared = JSON.parse(readFileSync(new URL('../../../tests/fixtures/depth_colouring.json', import.meta.url), 'utf8'))
  const fixture = (values: number[]) => ({ width: shared.width, height: shared.height, values: Uint16Array.from(values) })

  it.each(['depth', 'viridis', 'cividis', 'grey'] as const)('gives the same bytes here: %s', (name) => {
    expect([...colourDepth(fixture(shared.millimetres), shared.low, shared.high, name)]).toEqual(shared.rgba[name])
  })

  it('gives the same bytes here: the error', () => {
    const { predicted, truth, limit, rgba } = shared.error
    expect([...colourError(fixture(predicted), fixture(truth), limit)]).toEqual(rgba)
  })
})

describe('colours', () => {
  it('are the ends of the table at the ends of the range, and clamped outside', () => {
    const rgba = colourDepth(map(4, [1000, 3000, 500, 9000]), 1, 3)
    expect(pixel(rgba, 0)).toEqual([...table('depth')[0]!, 255])
    expect(pixel(rgba, 1)).toEqual([...table('depth')[255]!, 255])
    expect(pixel(rgba, 2)).toEqual(pixel(rgba, 0))
    expect(pixel(rgba, 3)).toEqual(pixel(rgba, 1))
  })

  it('are transparent where there is no depth', () => {
    expect(pixel(colourDepth(map(1, [0]), 1, 3), 0)).toEqual([0, 0, 0, 0])
  })

  it('of the depth map run from the design’s light near to its dark far', () => {
    expect(table('depth')).toHaveLength(256)
    expect(table('depth')[0]).toEqual([253, 235, 173])
  })

  it('of the error are symmetric: no error is the middle, too near blue, too far orange', () => {
    const truth = map(3, [2000, 2000, 2000])
    const rgba = colourError(map(3, [2000, 1000, 3000]), truth, 1)
    expect(pixel(rgba, 0).slice(0, 3)).toEqual([...table('error')[128]!])
    expect(pixel(rgba, 1).slice(0, 3)).toEqual([...table('error')[0]!])
    expect(pixel(rgba, 2).slice(0, 3)).toEqual([...table('error')[255]!])
  })

  it('of the relative error depend on the ground truth', () => {
    const rgba = colourError(map(2, [1100, 4400]), map(2, [1000, 4000]), 0.5, true)
    expect(pixel(rgba, 0)).toEqual(pixel(rgba, 1))
  })
})

describe('values', () => {
  it('have no error where prediction or ground truth is missing', () => {
    expect(signedError(0, 1000)).toBeNull()
    expect(relativeError(1000, 0)).toBeNull()
    expect(signedError(900, 1000)).toBeCloseTo(-0.1, 12)
    expect(relativeError(900, 1000)).toBeCloseTo(-0.1, 12)
  })

  it('are read at the pixel under the point', () => {
    const depth = map(2, [1000, 2000, 3000, 0])
    expect(metresAt(depth, 0.9, 0.1)).toBe(2)
    expect(metresAt(depth, 1, 1)).toBeNull()
    expect(profile(depth, 0.9)).toEqual([3, null])
  })

  it('span the 2nd to the 98th percentile of the valid pixels', () => {
    const values = Array.from({ length: 101 }, (_, i) => 1000 + 10 * i)
    expect(depthRange([map(101, values), map(2, [0, 0])])).toEqual([expect.closeTo(1.02, 9), expect.closeTo(1.98, 9)])
    expect(depthRange([map(1, [0])])).toEqual([0, 10])
    expect(depthRange([map(2, [2000, 2000])])).toEqual([1.5, 2.5])
  })
})
