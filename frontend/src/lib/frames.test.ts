import { describe, expect, it } from 'vitest'

import { frameAt, frameLabels, isFlat, rmseOf, withoutSharedFolder } from './frames'

describe('frameLabels', () => {
  it('gives a name alone where it stands for one image, and else the first step of each', () => {
    const shown = [
      { frame_id: 4, frame: 'frame 12', step: 200 },
      { frame_id: 4, frame: 'frame 12', step: 100 },
      { frame_id: 5, frame: 'frame 12', step: 300 },
      { frame_id: 6, frame: 'frame 7', step: 300 },
    ]
    expect([...frameLabels(shown)]).toEqual([
      [4, 'frame 12, from step 100'],
      [5, 'frame 12, from step 300'],
      [6, 'frame 7'],
    ])
  })
})

describe('sample frames', () => {
  it('lose the folder that all share, and are walked round', () => {
    expect(withoutSharedFolder(['test/1', 'test/2'])).toEqual(['1', '2'])
    expect(withoutSharedFolder(['test/1', 'train/2'])).toEqual(['test/1', 'train/2'])
    expect([frameAt([5, 7, 9], 9, 1), frameAt([5, 7, 9], 5, -1)]).toEqual([5, 9])
  })

  it('are scored over the pixels that both maps have', () => {
    const map = (...values: number[]) => ({ width: values.length, height: 1, values: Uint16Array.from(values) })
    expect(rmseOf(map(1000, 2000, 9000, 0), map(1300, 1600, 0, 500))).toBeCloseTo(Math.sqrt((0.09 + 0.16) / 2), 12)
    expect([rmseOf(map(0), map(1)), rmseOf(undefined, map(1)), rmseOf(map(1, 2), map(1))]).toEqual([null, null, null])
  })

  it('without a photograph are one grey', () => {
    expect(isFlat(Uint8ClampedArray.from([128, 128, 128, 255, 128, 128, 128, 255]))).toBe(true)
    expect(isFlat(Uint8ClampedArray.from([128, 128, 128, 255, 128, 129, 128, 255]))).toBe(false)
  })
})
