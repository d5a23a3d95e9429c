import { describe, expect, it } from 'vitest'

import { axesOf, kindsOf, NO_KINDS, onlyScripts, paramsOf, sameKinds, stepWords } from './script'

const script = { kind: 'script', train_size: 16, images_seen: 80, step: 10 } as const

describe('runs of scripts', () => {
  it('have epochs and images as axes only where their parameters allow it', () => {
    expect(axesOf(script)).toEqual(['step', 'epoch', 'images', 'hours'])
    expect(axesOf({ ...script, train_size: 0 })).toEqual(['step', 'images', 'hours'])
    expect(axesOf({ ...script, images_seen: 0 })).toEqual(['step', 'hours'])
    expect(axesOf({ ...script, kind: 'trained', images_seen: 0 })[0]).toBe('epoch')
  })

  it('are alone in an experiment only where no worker trains one', () => {
    expect(onlyScripts([script])).toBe(true)
    expect(onlyScripts([])).toBe(false)
    expect(onlyScripts([script, { kind: 'trained' }])).toBe(false)
  })

  it('say how long they are where that is known', () => {
    expect(stepWords({ step: 3, steps: 0 }, String)).toBe('step 3')
    expect(stepWords({ step: 3, steps: 5 }, String)).toBe('step 3 of 5')
  })

  it('have the parameters that they gave', () => {
    expect(paramsOf({ config: { params: { lr: 1 } } })).toEqual({ lr: 1 })
    expect(paramsOf({ config: {} })).toEqual({})
  })
})

describe('the kinds of runs in a table', () => {
  const trained = { kind: 'trained', name: '', loss: 'l1', evaluation: 'test/eigen' } as const

  it('are the same whichever runs they are found in, so that the table keeps its columns', () => {
    expect(kindsOf([trained])).toEqual({ ...NO_KINDS, lossy: true })
    expect(sameKinds(kindsOf([trained]), kindsOf([trained, { ...trained, evaluation: '' }]))).toBe(true)
  })

  it('say what only some of them have', () => {
    const mine = { kind: 'script', name: 'mine', loss: '', evaluation: '' } as const
    expect(kindsOf([mine])).toEqual({ ...NO_KINDS, scripts: true, named: true })
    expect(kindsOf([mine, trained, { ...trained, evaluation: 'test/full' }])).toEqual({ scripts: false, named: true, lossy: true, evaluations: true })
  })
})
