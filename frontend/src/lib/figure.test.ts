import { describe, expect, it } from 'vitest'

import { axisEnds, best, caption, fitLayout, heightOf, indexAt, onlyPanel, panelAxes, panelBoxes, panelValues, previewHeight, runLines, strength, withoutLegend, type PlotlyFigure } from './figure'

const line = (xaxis: string, group: string) => ({
  type: 'scatter',
  xaxis,
  yaxis: xaxis.replace('x', 'y'),
  legendgroup: group,
  x: [1, 2, 3],
  y: [0.9, null, 0.5],
  customdata: ['± 0.010, n = 2', 'n = 1', '± 0.020, n = 3'],
  line: { width: 2, color: '#2f43b0', dash: '8px,3px' },
  marker: { symbol: 'circle-open' },
  meta: { role: 'mean', loss: group, std: [0.01, null, 0.02], n: [2, 1, 3], reached: 3, going: false },
})
const figure: PlotlyFigure = {
  data: [{ legendgroup: 'l1', meta: { role: 'legend' } }, line('x', 'l1'), line('x2', 'l1'), line('x2', 'gan'), { xaxis: 'x2', meta: { role: 'band' } }],
  layout: {
    height: 360,
    width: 900,
    legend: {},
    meta: { caption: 'Mean over seeds.' },
    xaxis: { domain: [0, 0.5], range: [0, 10] },
    yaxis: { anchor: 'x', title: { text: 'test MAE (m)' } },
    xaxis2: { domain: [0.5, 1], range: [0, 4] },
    yaxis2: { anchor: 'x2', showticklabels: false },
    annotations: [
      { xref: 'x2 domain', name: 'header', text: '<b>64 images</b>  <span>n = 1</span>' },
      { xref: 'x domain', name: 'notice', text: 'none' },
    ],
    shapes: [{ xref: 'x2 domain' }, { xref: 'x domain' }],
  },
}

describe('a figure on the page', () => {
  it('fills the width and keeps the reader’s zoom', () => {
    expect(fitLayout(figure.layout, 300)).toMatchObject({ height: 300, autosize: true, uirevision: 'keep' })
    expect(fitLayout(figure.layout, 300).width).toBeUndefined()
    expect([heightOf(figure), caption(figure), caption(undefined)]).toEqual([360, 'Mean over seeds.', null])
  })

  it('lets one line stand out from the others, and leaves alone what belongs to none', () => {
    expect([strength('gan', 'gan'), strength('l1', 'gan'), strength(undefined, 'gan'), strength('l1', null)]).toEqual(['lifted', 'dimmed', null, null])
  })
})

describe('a preview', () => {
  const small = onlyPanel(figure, 'x2')

  it('is one panel over the whole width, without legend and header', () => {
    expect(small.data).toHaveLength(3)
    expect(small.layout).toMatchObject({ xaxis2: { domain: [0, 1] }, yaxis2: { domain: [0, 1], showticklabels: true, title: { text: 'test MAE (m)' } }, showlegend: false, annotations: [] })
    expect(small.layout.xaxis).toBeUndefined()
    expect(small.layout.shapes).toHaveLength(1)
  })

  it('is as high as its rows of names need', () => {
    const rows = (n: number) => ({ data: [], layout: { margin: { t: 8, b: 40 }, yaxis: { ticktext: Array.from({ length: n }, (_, i) => `loss ${i}`) } } })
    expect([previewHeight(small), previewHeight(rows(7)), previewHeight(rows(17))]).toEqual([210, 210, 303])
  })

  it('leaves the figure itself alone', () => {
    expect(figure.layout.xaxis2).toEqual({ domain: [0.5, 1], range: [0, 4] })
  })
})

describe('panels as drawn', () => {
  it('lie where the axes are, with what is shown and where training ends', () => {
    const full = {
      xaxis: { _offset: 50, _length: 300, range: [2, 5], anchor: 'y' },
      yaxis: { _offset: 20, _length: 200, range: [0, 1], anchor: 'x' },
      xaxis2: { _offset: 400, _length: 300, range: [0, 4], anchor: 'y2', visible: false },
      yaxis2: { _offset: 20, _length: 200, range: [0, 1], anchor: 'x2' },
    }
    expect(panelBoxes(full, axisEnds(figure))).toEqual([{ axis: 'x', left: 50, top: 20, width: 300, height: 200, range: [2, 5], log: false, yRange: [0, 1], yLog: false, end: 10 }])
  })
})

describe('the value table', () => {
  it('reads the means of each panel with spread and n', () => {
    expect(panelAxes(figure)).toEqual(['x', 'x2'])
    const [first, second] = panelValues(figure)
    expect(first).toMatchObject({ axis: 'x', end: 10 })
    expect(second).toMatchObject({ title: '64 images · n = 1', end: 4 })
    expect(second!.lines.map((l) => l.group)).toEqual(['l1', 'gan'])
    expect(second!.lines[0]).toMatchObject({ x: [1, 3], y: [0.9, 0.5], spreads: ['± 0.010', '± 0.020'], std: [0.01, 0.02], n: [2, 3], reached: 3, going: false, colour: '#2f43b0', dash: '8 3', marker: 'circle', hollow: true })
  })

  it('has the base first', () => {
    const based = { ...figure, layout: { ...figure.layout, meta: { base: 'gan' } } }
    expect(panelValues(based)[1]!.lines.map((l) => l.group)).toEqual(['gan', 'l1'])
  })

  it('takes the last value at or before the crosshair', () => {
    const curve = panelValues(figure)[0]!.lines[0]!
    expect([indexAt(curve, 0.5), indexAt(curve, 1), indexAt(curve, 2.9), indexAt(curve, 99)]).toEqual([-1, 0, 0, 1])
    expect([best(curve, true), best(curve, false)]).toEqual([0.5, 0.9])
  })
})

describe('a figure with a line a run', () => {
  const run = (id: number, dash: string) => ({ name: `run ${id}`, legendgroup: String(id), line: { color: '#2f43b0', dash }, marker: { symbol: 'square' }, meta: { role: 'run', run_id: id, loss: 'l1' } })
  const curves: PlotlyFigure = { data: [run(3, '8px,3px'), run(4, 'solid'), { meta: { role: 'legend' } }], layout: { height: 526, margin: { l: 56, t: 60 } } }

  it('says which, in which colour and dash', () => {
    expect(runLines(curves)).toEqual([
      { run: 3, name: 'run 3', group: '3', colour: '#2f43b0', dash: '8 3', marker: 'square', hollow: false },
      { run: 4, name: 'run 4', group: '4', colour: '#2f43b0', dash: undefined, marker: 'square', hollow: false },
    ])
  })

  it('keeps the height of its panel without its legend', () => {
    expect(withoutLegend(curves).layout).toEqual({ showlegend: false, height: 482, margin: { l: 56, t: 16 } })
  })
})
