import { describe, expect, it } from 'vitest'

import { byGroup, imageOf, linkedImages, oddOnes, parseIds, withoutRun, withRun } from './compare'

describe('the runs compared', () => {
  it('are numbers, each once, in the order chosen', () => {
    expect(parseIds('5, 1,5,x,-2,1.5')).toEqual([5, 1])
    expect([parseIds(undefined), withRun([5, 1], 9), withoutRun([5, 1], 5), withoutRun([5], 5)]).toEqual([[], '5,1,9', '1', undefined])
  })
})

describe('what stands out', () => {
  it('is what fewer runs have', () => {
    expect(oddOnes([1, 1, 2])).toEqual([false, false, true])
    expect(oddOnes(['a', null, 'a'])).toEqual([false, true, false])
  })
  it('is everything where no value is the commonest, and nothing where all are the same', () => {
    expect(oddOnes([1, 2])).toEqual([true, true])
    expect(oddOnes([1, 2, 1, 2])).toEqual([true, true, true, true])
    expect(oddOnes([[1], [1]])).toEqual([false, false])
  })
  it('is grouped by what it is about', () => {
    const row = (path: string, group: 'setting' | 'code') => ({ path, group, values: [], differs: true })
    expect(byGroup([row('python', 'code'), row('seed', 'setting'), row('lr', 'setting')]).map((part) => [part.title, part.rows.map((r) => r.path)])).toEqual([
      ['Settings', ['seed', 'lr']],
      ['Code', ['python']],
    ])
  })
})

describe('a point of the paired figure', () => {
  it('is an image by its place, with its own name and where its pixels are', () => {
    expect(imageOf([3, 'a &lt;b&gt; &amp;amp;', '/runs/1?frame=2', '0.1 m'])).toEqual({ position: 3, name: 'a <b> &amp;', link: '/runs/1?frame=2' })
    expect(imageOf(undefined)).toBeNull()
  })
  it('is listed where its depth maps are kept', () => {
    const trace = (held: boolean, ...customdata: unknown[][]) => ({ customdata, meta: { role: 'images', held } })
    const figure = { data: [trace(false, [0, 'x', '']), trace(true, [7, 'b', '/b'], [2, 'a', '/a'])], layout: {} }
    expect(linkedImages(figure).map((point) => point.name)).toEqual(['a', 'b'])
  })
})
