import { describe, expect, it } from 'vitest'

import { hiddenOf, isolated, toggled, withoutHidden } from './shown'

const ALL = ['L1', 'L2', 'GAN']
const none = new Set<string>()

describe('a legend', () => {
  it('hides a line with a click and shows it with the next', () => {
    const once = toggled(ALL, none, 'L2')
    expect(once).toEqual({ hidden: 'L2', only: undefined })
    expect(toggled(ALL, hiddenOf(ALL, once), 'L2')).toEqual({ hidden: undefined, only: undefined })
  })

  it('shows one line alone with a double click, and all with the next', () => {
    const alone = isolated(ALL, none, 'GAN')
    expect(alone).toEqual({ hidden: undefined, only: 'GAN' })
    expect(hiddenOf(ALL, alone)).toEqual(new Set(['L1', 'L2']))
    expect(isolated(ALL, hiddenOf(ALL, alone), 'GAN')).toEqual({ hidden: undefined, only: undefined })
    expect(isolated(ALL, hiddenOf(ALL, alone), 'L1')).toEqual({ hidden: undefined, only: 'L1' })
  })

  it('brings all back when the last line would go', () => {
    expect(toggled(ALL, new Set(['L1', 'L2']), 'GAN')).toEqual({ hidden: undefined, only: undefined })
  })

  it('knows names that the address made numbers of, and none that are gone', () => {
    expect(hiddenOf(['16', '17'], { only: 16 })).toEqual(new Set(['17']))
    expect(hiddenOf(ALL, { hidden: 'BerHu' })).toEqual(none)
  })
})

it('leaves hidden lines out of the figure, and their panel in it', () => {
  const figure = { data: [{ xaxis: 'x', legendgroup: 'L1' }, { xaxis: 'x2', yaxis: 'y2', legendgroup: 'L2' }, { xaxis: 'x', name: 'published' }], layout: {} }
  const found = withoutHidden(figure, new Set(['L2']))
  expect(found.data.map((trace) => [trace.xaxis, trace.legendgroup, trace.name])).toEqual([['x', 'L1', undefined], ['x', undefined, 'published'], ['x2', undefined, undefined]])
  expect(withoutHidden(figure, none)).toBe(figure)
})
