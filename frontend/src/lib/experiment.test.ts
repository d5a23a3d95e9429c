import { describe, expect, it } from 'vitest'

import { cellWords, completedWords, factorWords, isActive, tabTitle } from './experiment'

const titles = { title: (name: string) => name.toUpperCase(), encoder: (name: string) => `enc ${name}` }

describe('an experiment in words', () => {
  it('counts the levels of each factor', () => {
    expect(factorWords({ loss: ['l1', 'l2'], size: [16, 64, 512], 'network.encoder': ['a', 'b'], seed: [0, 1] }, titles)).toBe('2 losses × 3 sizes × 2 encoders × 2 seeds')
  })

  it('joins with commas what is no product', () => {
    expect(factorWords({ loss: ['l1', 'l2'], size: [16, 64], 'network.encoder': ['a'] }, titles, 6)).toBe('2 losses, 2 sizes, enc a')
  })

  it('names a single level, and a loss that is varied by its parameters', () => {
    expect(factorWords({ loss: ['berhu threshold=0.1', 'berhu'], 'data.train_size': [12000], seed: [0] }, titles)).toBe('2 × BERHU × 12\u202f000 images × 1 seed')
    expect(factorWords({ loss: [{ name: 'gan' }], 'optimiser.lr': [0.1, 0.2] }, titles)).toBe('GAN × 2 × learning rate')
    expect(factorWords({}, titles)).toBe('one run')
    expect(factorWords({}, titles, 6)).toBe('6 runs')
  })

  it('puts progress first in the tab title while it runs', () => {
    const counts = { queued: 1, running: 1, finished: 3, failed: 0, cancelled: 0 }
    expect(tabTitle({ name: 'Study', counts })).toBe('3/5 Study')
    expect(tabTitle({ name: 'Study', counts: { ...counts, queued: 0, running: 0 } })).toBe('Study')
    expect(isActive(counts)).toBe(true)
  })

  it('names a cell by size, encoder and seed', () => {
    expect(cellWords({ train_size: 12000, encoder: 'x', seed: 3 }, titles)).toBe('12k · enc x · seed 3')
  })
})

describe('completing a grid', () => {
  const nothing = { created: [], linked: [], queued_again: [], outdated: [] }

  it('says what it came to', () => {
    expect(completedWords(nothing)).toBe('No cell is missing.')
    expect(completedWords({ ...nothing, created: [9], queued_again: [1, 2] })).toBe('2 runs queued again, 1 run made anew.')
    expect(completedWords({ ...nothing, linked: [4], outdated: [3] })).toBe('1 run shared with other experiments. 1 run ended under another training version or on other data: submit it again.')
  })
})
