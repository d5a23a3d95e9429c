import { describe, expect, it } from 'vitest'

import type { Series } from '../api/types'
import { resources } from './resources'

const of = (...value: (number | null)[]) => ({ value }) as Series

describe('what a run took of its machine', () => {
  const rows = resources({ run_id: 1, series: { 'system/cpu': of(150, 240), 'system/memory': of(2.25), 'system/gpu10/utilisation': of(3), 'system/gpu1/power': of(588), 'system/gpu1/utilisation': of(95, null), 'train/loss': of(1) } })

  it('is listed GPU by GPU, then the process', () => {
    expect(rows.map((row) => [row.of, row.name, row.now])).toEqual([
      ['GPU 1', 'Use', '95 %'],
      ['GPU 1', 'Power', '588 W'],
      ['GPU 10', 'Use', '3 %'],
      ['', 'Memory', '2.3 GB'],
      ['', 'CPU', '240 %'],
    ])
  })

  it('is drawn on a scale that means something', () => {
    expect(rows.map((row) => row.full)).toEqual([100, expect.closeTo(646.8), 100, expect.closeTo(2.475), 300])
  })

  it('is nothing where nothing was recorded', () => {
    expect(resources(undefined)).toEqual([])
  })
})
