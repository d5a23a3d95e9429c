import { describe, expect, it } from 'vitest'

import { frameLabels } from './frames'

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
