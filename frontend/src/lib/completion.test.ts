import { describe, expect, it } from 'vitest'

import type { RunNames } from '../api/types'
import { completions } from './completion'

const names: RunNames = {
  columns: [
    { name: 'status', kind: 'text' },
    { name: 'loss', kind: 'text' },
    { name: 'stalled', kind: 'flag' },
    { name: 'rmse', kind: 'number' },
  ],
  params: ['optimiser.lr', 'loss.lam', 'a b'],
  metrics: ['val/rmse', 'rmse'],
}

describe('completion of a filter', () => {
  it('ends a name that has begun, first what begins so, then what holds it', () => {
    expect(completions('lo', names)).toEqual(['loss', 'loss.lam'])
    expect(completions('status = failed and rm', names)).toEqual(['status = failed and rmse', 'status = failed and val/rmse'])
    expect(completions('not (opt', names)).toEqual(['not (optimiser.lr'])
  })

  it('offers operators after a name, those of its kind', () => {
    expect(completions('rmse ', names)).toContain('rmse < ')
    expect(completions('loss ', names)).toContain('loss in (')
    expect(completions('stalled ', names)).toEqual(['stalled = true ', 'stalled = false '])
  })

  it('knows the states and leaves other values to the person', () => {
    expect(completions('status = f', names)).toEqual(['status = finished', 'status = failed'])
    expect(completions('status in (failed, c', names)).toEqual(['status in (failed, cancelled'])
    expect(completions('rmse < 0', names)).toEqual([])
    expect(completions('', names)).toEqual([])
  })

  it('quotes a name that would be read as several words', () => {
    expect(completions('a ', { ...names, params: [] })).toEqual([])
    expect(completions('has(a', names)).toContain('has("a b"')
  })
})
