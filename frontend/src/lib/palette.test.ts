import { expect, it } from 'vitest'

import { findEntries, runNumber } from './palette'

const ENTRIES = [
  { label: 'Seven losses on rooms', hint: 'experiment' },
  { label: 'Losses', hint: 'page' },
  { label: 'BerHu', hint: 'loss', words: 'berhu reverse huber' },
  { label: 'rooms', hint: 'dataset' },
]
const labels = (query: string) => findEntries(ENTRIES, query).map((entry) => entry.label)

it('finds entries that hold every word, those that begin so first', () => {
  expect(labels('loss')).toEqual(['Losses', 'Seven losses on rooms', 'BerHu'])
  expect(labels('rooms seven')).toEqual(['Seven losses on rooms'])
  expect(labels('reverse')).toEqual(['BerHu'])
  expect(labels('nothing')).toEqual([])
  expect(labels('')).toHaveLength(4)
})

it('reads the number of a run', () => {
  expect(['12', '#12', 'run 12', 'Run #7'].map(runNumber)).toEqual([12, 12, 12, 7])
  expect(['x12', '12 seeds', ''].map(runNumber)).toEqual([null, null, null])
})
