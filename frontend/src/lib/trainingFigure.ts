/** Small figures of what a run logged, built here because they grow with every event: for the eye, nothing of them is published. */

import type { Series } from '../api/types'
import { FONT, PALETTES, type Scheme } from '../theme/tokens'
import { AXIS_TITLES, firstNonfinite, positions, type Axis } from './curves'
import type { Layout, PlotlyFigure, Trace } from './figure'
import { smooth } from './smoothing'

export interface Look {
  scheme: Scheme
  axis: Axis
  logY?: boolean
  /** where the axis ends when the training is over; null where nobody knows */
  end?: number | null
}

/** Drawn beside the curve: where attempts went on (after which step), and a level that means something. */
export interface Marks {
  resumed?: readonly number[]
  level?: number | null
}

type Palette = (typeof PALETTES)[Scheme]

const RAW_OPACITY = 0.55
/** Fewer points than this are read one by one: to smooth them would move them. */
const FEW = 30

/** The steps after which a further attempt went on from a checkpoint. */
export function resumedAfter(attempts: readonly { resumed_from: number | null }[]): number[] {
  return attempts.flatMap(({ resumed_from }) => (resumed_from ? [resumed_from - 1] : []))
}

/** One curve: raw faint behind, smoothed in front, and a cross where it stopped being finite. */
export function trainingFigure(series: Series, weight: number, look: Look, marks: Marks = {}): PlotlyFigure {
  const palette = PALETTES[look.scheme]
  const x = positions(series, look.axis)
  return {
    data: [...pair(series, x, weight, look, { color: palette.text }, palette), ...divergence(series, x, palette.warning)],
    layout: layoutOf(look, palette, [series], marks),
  }
}

/** What D says of ground truth and of predictions, between the level where it cannot tell them apart. */
export function balanceFigure(real: Series, fake: Series, weight: number, look: Look, marks: Marks = {}): PlotlyFigure {
  const palette = PALETTES[look.scheme]
  const drawn = (series: Series, name: string, line: object) => {
    const [raw, front] = pair(series, positions(series, look.axis), weight, look, line, palette)
    return [{ ...raw, name }, ...(front ? [{ ...front, name }] : [])]
  }
  return {
    data: [...drawn(real, 'ground truth', { color: palette.text }), ...drawn(fake, 'predictions', { color: palette.text, dash: '4px,3px' })],
    layout: layoutOf(look, palette, [real, fake], { level: 0.5, ...marks }),
  }
}

function pair(series: Series, x: (number | null)[], weight: number, look: Look, line: object, palette: Palette): Trace[] {
  const hover = `${AXIS_TITLES[look.axis]} %{x:,.4~g}<br>%{y:.4~g}<extra></extra>`
  const common = { type: 'scatter', mode: series.step.length > 1 ? 'lines' : 'markers', x, marker: { size: 5, color: palette.text }, cliponaxis: series.step.length > 1 }
  if (weight <= 0 || series.step.length < FEW) return [{ ...common, y: series.value, line: { width: 1.25, ...line }, hovertemplate: hover }]
  return [
    { ...common, y: series.value, line: { color: palette.missing, width: 1 }, opacity: RAW_OPACITY, hoverinfo: 'skip' },
    { ...common, y: smooth(series.value, weight), line: { width: 1.75, ...line }, hovertemplate: hover },
  ]
}

function divergence(series: Series, x: readonly (number | null)[], colour: string): Trace[] {
  const fault = firstNonfinite(series)
  if (!fault || fault.last === null) return []
  return [
    {
      type: 'scatter',
      mode: 'markers',
      x: [x[fault.index] ?? null],
      y: [fault.last],
      marker: { symbol: 'x-thin', size: 10, line: { width: 2.5, color: colour } },
      hovertemplate: `${fault.kind} here; last finite value %{y:.4~g}<extra></extra>`,
    },
  ]
}

/** Below this a value is the rest of a subtraction. */
export const NOTHING = 1e-12
const SAME = 1e-9

/** The range of an axis for values that are all the same but for rounding: their differences are not drawn as if they meant something. */
export function steadyRange(values: readonly (number | null)[]): [number, number] | null {
  const finite = values.filter((value) => value !== null && Number.isFinite(value)) as number[]
  if (finite.length === 0) return null
  const [low, high] = finite.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, -Infinity])
  const size = Math.max(Math.abs(low), Math.abs(high))
  if (size < NOTHING) return [-1, 1]
  if (high - low > SAME * size) return null
  return low > 0 ? [0, 2 * high] : [2 * low, 0]
}

function layoutOf(look: Look, palette: Palette, drawn: readonly Series[], marks: Marks): Layout {
  const axis = { gridcolor: palette.grid, linecolor: palette.line, showline: true, zeroline: false, ticks: '', tickfont: { size: 11, color: palette.text2 }, automargin: true }
  const steady = look.logY ? null : steadyRange(drawn.flatMap((series) => series.value))
  const end = look.axis === 'hours' ? null : look.end
  return {
    font: { family: FONT, size: 12, color: palette.text },
    paper_bgcolor: 'rgba(0,0,0,0)',
    plot_bgcolor: 'rgba(0,0,0,0)',
    hoverlabel: { bgcolor: palette.raised, bordercolor: palette.line, font: { color: palette.text, size: 12 } },
    hovermode: 'closest',
    showlegend: false,
    margin: { l: 44, r: 8, t: 6, b: 40 },
    xaxis: { ...axis, nticks: 5, title: { text: AXIS_TITLES[look.axis], font: { size: 11, color: palette.text2 }, standoff: 4 }, ...(end ? { range: [0, end] } : { rangemode: 'tozero' }) },
    yaxis: { ...axis, nticks: 4, type: look.logY ? 'log' : 'linear', ...(steady ? { range: steady } : {}) },
    shapes: [...resumeLines(drawn[0], marks.resumed ?? [], look, palette.warning), ...levelLine(marks.level, palette.text3)],
  }
}

function resumeLines(series: Series | undefined, resumed: readonly number[], look: Look, color: string) {
  const x = series ? positions(series, look.axis) : []
  return resumed.flatMap((after) => {
    const place = x[series!.step.findIndex((step) => step > after)]
    return place == null ? [] : [{ type: 'line', xref: 'x', yref: 'paper', x0: place, x1: place, y0: 0, y1: 1, line: { color, width: 1.2, dash: '3px,3px' } }]
  })
}

function levelLine(level: number | null | undefined, color: string) {
  return level == null ? [] : [{ type: 'line', xref: 'paper', yref: 'y', x0: 0, x1: 1, y0: level, y1: level, line: { color, width: 1, dash: '1px,3px' }, layer: 'below' }]
}
