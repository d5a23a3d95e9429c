import { readFileSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

import { decodeDepth, depthRange, errorHistogram, masked, medianScaled, metresAt, percentiles, profile, relativeError, signedError } from './depth'

const map = (width: number, values: number[]) => ({ width, height: values.length / width, values: Uint16Array.from(values) })

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
  const shared = JSON.parse(readFileSync(new URL('../../../tests/fixtures/depth_reading.json', import.meta.url), 'utf8'))
  const [truth, predicted] = [map(shared.width, shared.truth), map(shared.width, shared.predicted)]

  it('gives the same percentiles', () => {
    const wanted = Object.keys(shared.percentiles).map(Number)
    expect(percentiles([truth], wanted)).toEqual(Object.values<number>(shared.percentiles).map((v) => expect.closeTo(v, 9)))
  })

  it('gives the same median-scaled prediction', () => {
    expect([...medianScaled(predicted, truth).values]).toEqual(shared.median_scaled)
  })

  it('gives the same histogram of signed errors', () => {
    const { limit, bins, ...found } = shared.histogram
    expect(errorHistogram(predicted, truth, limit, bins)).toEqual(found)
  })
})

it('a prediction without ground truth stays as it is, and nothing of it shows when masked', () => {
  const [pred, none] = [map(2, [1000, 2000]), map(2, [0, 0])]
  expect(medianScaled(pred, none)).toBe(pred)
  expect([...masked(pred, map(2, [500, 0])).values]).toEqual([1000, 0])
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
