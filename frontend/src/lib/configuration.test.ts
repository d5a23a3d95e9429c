import { expect, it } from 'vitest'

import { settingNames, splitConfiguration } from './configuration'

it('a configuration is split into what makes the cell and what is shared', () => {
  const config = { schema_version: 1, data: { train_size: 16, crop: 'none' }, loss: { threshold: null, name: 'huber' }, seed: 0, labels: {} }
  expect(splitConfiguration(config, ['loss', 'size'])).toEqual({
    cell: [['data.train_size', 16], ['loss.name', 'huber'], ['loss.threshold', null]],
    shared: [['data.crop', 'none'], ['seed', 0]],
  })
})

it('a setting that two groups share is named with its group', () => {
  expect(settingNames([['data.crop', 'none'], ['evaluation.crop', 'eigen'], ['loss.name', 'l1'], ['data.train_size', 5]])).toEqual(['data crop', 'evaluation crop', 'loss', 'train size'])
})
