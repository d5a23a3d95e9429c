import { expect, it } from 'vitest'

import { specOfRun } from './clone'

it('a cloned run is an experiment of one run: its cell as factors, the rest held constant', () => {
  const config = { schema_version: 2, labels: { a: 1 }, loss: { name: 'huber', threshold: 0.3 }, seed: 4, data: { dataset: 'rooms', train_size: 64 }, network: { encoder: 'densenet_small' }, optimiser: { lr: 1e-3 } }
  expect(specOfRun(config, 'Huber · 64')).toEqual({
    name: 'Huber · 64, cloned',
    base: { data: { dataset: 'rooms' }, network: {}, optimiser: { lr: 1e-3 } },
    factors: { loss: [{ name: 'huber', threshold: 0.3 }], size: [64], encoder: ['densenet_small'], seed: [4] },
  })
  expect(config.data.train_size).toBe(64)
})
