/** The figures of one row of depth maps: depth along a line, and the errors of the whole image. */

import { FONT, PALETTES, type Scheme } from '../theme/tokens'
import type { Layout, PlotlyFigure, Trace } from './figure'
import { colourOf, plotlyDash, type LossToken } from './losses'

export interface RowLine {
  label: string
  token: LossToken
  /** of the two that are compared: the others recede */
  chosen: boolean
}

export interface ProfileLine extends RowLine {
  values: (number | null)[]
}

export function profileFigure(x: readonly number[], truth: readonly (number | null)[], lines: readonly ProfileLine[], title: string, scheme: Scheme): PlotlyFigure {
  const palette = PALETTES[scheme]
  const drawn = lines.toSorted((a, b) => Number(a.chosen) - Number(b.chosen))
  const data = drawn.map((line): Trace => ({ ...style(line, scheme), x, y: line.values, hovertemplate: `%{y:.2f} m` }))
  const known = truth.some((v) => v !== null)
  const front: Trace = { type: 'scatter', mode: 'lines', name: 'ground truth', x, y: truth, line: { color: palette.text, width: 2.6 }, hovertemplate: '%{y:.2f} m' }
  return { data: known ? [...data, front] : data, layout: layout(scheme, title, 'depth (m)', ' px') }
}

export interface ErrorLine extends RowLine {
  /** share of the pixels in each bin, per cent */
  shares: number[]
}

/** One stepped line a run; `centres` are the bins' middles in metres. */
export function errorFigure(centres: readonly number[], lines: readonly ErrorLine[], scheme: Scheme): PlotlyFigure {
  const drawn = lines.toSorted((a, b) => Number(a.chosen) - Number(b.chosen))
  const data = drawn.map((line): Trace => {
    const base = style(line, scheme)
    return { ...base, x: centres, y: line.shares, line: { ...(base.line as object), shape: 'hvh' }, hovertemplate: '%{y:.1f} %' }
  })
  const plain = layout(scheme, 'prediction − ground truth (m): left too near, right too far', 'pixels (%)', ' m')
  const zero = { type: 'line', xref: 'x', yref: 'paper', x0: 0, x1: 0, y0: 0, y1: 1, line: { color: PALETTES[scheme].text, width: 1 } }
  return { data, layout: { ...plain, shapes: [zero], yaxis: { ...(plain.yaxis as object), rangemode: 'tozero' } } }
}

function style({ label, token, chosen }: RowLine, scheme: Scheme): Trace {
  return {
    type: 'scatter',
    mode: 'lines',
    name: escaped(label),
    line: { color: colourOf(token, scheme), width: chosen ? 2.25 : 1.25, dash: plotlyDash(token) },
    opacity: chosen ? 1 : 0.45,
  }
}

/** Plotly reads tags in names: what people have written stays text. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function layout(scheme: Scheme, x: string, y: string, suffix: string): Layout {
  const palette = PALETTES[scheme]
  const axis = {
    gridcolor: palette.grid,
    zeroline: false,
    linecolor: palette.line,
    tickfont: { size: 11, color: palette.text2 },
    hoverformat: '.3~f',
  }
  const title = (text: string) => ({ text, font: { size: 11, color: palette.text2 }, standoff: 4 })
  return {
    font: { family: FONT, size: 11, color: palette.text },
    paper_bgcolor: 'rgba(0,0,0,0)',
    plot_bgcolor: 'rgba(0,0,0,0)',
    margin: { l: 44, r: 6, t: 6, b: 36 },
    showlegend: false,
    hovermode: 'x unified',
    hoverlabel: { bgcolor: palette.page, bordercolor: palette.line, font: { color: palette.text, size: 11 } },
    xaxis: { ...axis, title: title(x), ticksuffix: '', hoverformat: '.3~f', unifiedhovertitle: { text: `%{x}${suffix}` } },
    yaxis: { ...axis, title: title(y), nticks: 5 },
  }
}
