import { expect, it } from 'vitest'

import { pathExperiment, viewName } from './address'

it('knows the experiment that an address is about', () => {
  expect(pathExperiment('/experiments/12/runs')).toBe(12)
  expect(pathExperiment('/experiments/new')).toBeNull()
  expect(pathExperiment('/runs/3')).toBeNull()
})

it('proposes a name for a view', () => {
  expect(viewName('149/210 NYUv2 losses · Depthboard', '/experiments/3/dataset-size')).toBe('Dataset size, NYUv2 losses')
  expect(viewName('Depthboard', '/')).toBe('Experiments')
  expect(viewName('Run 12 · Depthboard', '/runs/12')).toBe('Run 12')
})
