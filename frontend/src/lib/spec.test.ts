import { describe, expect, it } from 'vitest'

import { fromYaml, gridSize, levelsOf, lossLevels, readBase, readFactor, setLevels, toYaml, writeBase, writeFactor, writeLosses } from './spec'

const demo = {
  name: 'Seven losses',
  base: { data: { height: 64, dataset: 'rooms' }, optimiser: { lr: 0.002 } },
  factors: { loss: ['l1', { name: 'huber', threshold: 0.2 }], size: [16, 64] },
  also: [{ factors: { loss: ['l1'], size: [64], encoder: ['resnet_small'] } }],
  tags: [],
}

describe('factors', () => {
  it('are found under any of their names', () => {
    expect(readFactor(demo, 'data.train_size')).toEqual([16, 64])
    expect(readFactor({ factors: { 'data.train_size': [5] } }, 'size')).toEqual([5])
    expect(readFactor(demo, 'seed')).toBeUndefined()
  })

  it('keep the name they were written with, and leave when empty', () => {
    expect(writeFactor(demo, 'data.train_size', [8]).factors).toEqual({ loss: demo.factors.loss, size: [8] })
    expect(writeFactor(demo, 'size', []).factors).toEqual({ loss: demo.factors.loss })
    expect(writeFactor({}, 'network.encoder', ['a']).factors).toEqual({ encoder: ['a'] })
  })

  it('never change the spec that was given', () => {
    const before = structuredClone(demo)
    writeFactor(demo, 'seed', [1])
    writeBase(demo, 'optimiser.lr', 1)
    writeLosses(demo, [{ name: 'gan' }])
    expect(demo).toEqual(before)
  })
})

describe('shared settings', () => {
  it('are read and written by their path', () => {
    expect(readBase(demo, 'lr')).toBe(0.002)
    expect(readBase(demo, 'budget.batch_size')).toBeUndefined()
    expect(readBase(writeBase(demo, 'budget.batch_size', 4), 'budget.batch_size')).toBe(4)
  })

  it('return to their default, and an empty group goes with them', () => {
    expect(writeBase(demo, 'optimiser.lr', undefined).base).toEqual({ data: demo.base.data })
  })
})

describe('the levels of a setting', () => {
  it('are the factor’s, else the one value that all runs share', () => {
    expect([levelsOf(demo, 'size'), levelsOf(demo, 'optimiser.lr'), levelsOf(demo, 'seed')]).toEqual([[16, 64], [0.002], undefined])
  })

  it('stand in one place only', () => {
    const next = setLevels(demo, 'optimiser.lr', [0.1, 0.2])
    expect(next.base).toEqual({ data: demo.base.data })
    expect(readFactor(next, 'lr')).toEqual([0.1, 0.2])
  })
})

describe('losses', () => {
  it('are names or mappings', () => {
    expect(lossLevels(demo)).toEqual([{ name: 'l1' }, { name: 'huber', threshold: 0.2 }])
    expect(lossLevels({ base: { loss: 'eigen' } })).toEqual([{ name: 'eigen' }])
    expect(lossLevels({})).toEqual([{ name: 'l1' }])
  })

  it('without parameters are written by their bare name', () => {
    expect(writeLosses({}, [{ name: 'l1' }, { name: 'eigen', lam: 1 }]).factors).toEqual({ loss: ['l1', { name: 'eigen', lam: 1 }] })
  })
})

it('counts the runs of all grids', () => {
  expect(gridSize(demo)).toBe(5)
  expect(gridSize({})).toBe(1)
})

describe('YAML', () => {
  it('and the spec are the same thing both ways', () => {
    expect(fromYaml(toYaml(demo)).spec).toEqual({ name: demo.name, base: demo.base, factors: demo.factors, also: demo.also })
  })

  it('fills lines with the levels of a long list, and reads them back', () => {
    const levels = ['l1', 'l2', 'huber', 'berhu', 'eigen', 'eigengrad', 'gan', { name: 'huber', threshold: 0.2 }]
    const text = toYaml({ name: 'long', factors: { loss: levels } })
    expect(text.split('\n')).toEqual(['name: long', 'factors:', '  loss: [l1, l2, huber, berhu,', '         eigen, eigengrad, gan,', '         {name: huber, threshold: 0.2}]', ''])
    expect(fromYaml(text).spec).toEqual({ name: 'long', factors: { loss: levels } })
  })

  it('puts levels in brackets and begins with the name', () => {
    const text = toYaml(demo)
    expect(text.startsWith('name: Seven losses\nbase:\n')).toBe(true)
    expect(text).toContain('  size: [16, 64]\n')
    expect(text).not.toContain('tags')
  })

  it('reads 1e-4 as a number', () => {
    expect(fromYaml('base: {optimiser: {lr: 1e-4}}').spec).toEqual({ base: { optimiser: { lr: 0.0001 } } })
  })

  it('says where it cannot be read', () => {
    expect(fromYaml('name: a\nfactors: [1')).toMatchObject({ spec: null, line: 2 })
    expect(fromYaml('just words')).toMatchObject({ spec: null, error: expect.stringContaining('mapping') })
  })
})
