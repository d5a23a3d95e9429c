/** The figures of one run, built here because they grow with every event: curves by the page's own axes and colours. */

import type { EvaluationEntry, Series } from '../api/types'
import { FONT, PALETTES, type Scheme } from '../theme/tokens'
import { AXIS_TITLES, firstNonfinite, position, positions, type Axis, type Timed } from './curves'
import type { Layout, PlotlyFigure, Trace } from './figure'
import { count, isShare, metricTitle, parseTime } from './format'
import { colourOf, plotlyDash, type LossToken } from './losses'
import { smooth } from './smoothing'

interface Look {
  scheme: Scheme
  axis: Axis
  /** seconds since the epoch when the run began */
  origin: number
  logY?: boolean
}

type MetricEntry = Parameters<typeof metricTitle>[0]

interface Marks {
  /** the constant prediction's value, stored units */
  constant: number | null
  resumed: Resumed[]
}

/** Where a further attempt went on. */
export interface Resumed {
  step: number
  /** when it began, seconds since the epoch */
  wall: number
  words: string
}

/** The attempts after the first that had a checkpoint to go on from. */
export function resumedOf(attempts: readonly { attempt: number; resumed_from: number | null; started_at: string }[]): Resumed[] {
  return attempts.flatMap(({ attempt, resumed_from, started_at }) =>
    resumed_from ? [{ step: resumed_from - 1, wall: parseTime(started_at) / 1000, words: `attempt ${attempt}, resumed from step ${count(resumed_from - 1)}` }] : [],
  )
}

/** Whether the run recorded this evaluation of its own part by its own protocol: what was scored again later is another curve. */
export function isOwn(row: EvaluationEntry, run: { split: string; protocol: string }): boolean {
  return !row.rescored && row.split === run.split && row.protocol === run.protocol
}

/** One metric over the run's evaluations, with the constant prediction as a dashed line and a mark where an attempt resumed. */
export function evaluationFigure(
  evaluations: readonly EvaluationEntry[],
  metric: MetricEntry,
  averaging: 'per_image' | 'pooled',
  token: LossToken,
  marks: Marks,
  look: Look,
): PlotlyFigure {
  const palette = PALETTES[look.scheme]
  const factor = isShare(metric) ? 100 : 1
  const rows = evaluations.filter((row) => row.predictor === 'network')
  const x = rows.map((row) => position(row, look.axis, look.origin))
  const y = rows.map((row) => scaled(row[averaging][metric.name], factor))
  const colour = colourOf(token, look.scheme)
  const line: Trace = {
    type: 'scatter',
    mode: rows.length > 40 ? 'lines' : 'lines+markers',
    name: 'this run',
    x,
    y,
    line: { color: colour, width: 2.25, dash: plotlyDash(token) },
    marker: { color: colour, size: 6, symbol: token.marker },
    hovertemplate: `${AXIS_TITLES[look.axis]} %{x:,.4~g}<br>%{y:.${factor === 100 ? 1 : 3}f} ${metric.unit}<extra></extra>`,
  }
  const layout = baseLayout(look, palette)
  const reference = marks.constant === null ? [] : [constantLine(marks.constant * factor, palette.text2)]
  return {
    data: [line],
    layout: {
      ...layout,
      yaxis: { ...(layout.yaxis as object), title: titled(metricTitle(metric), palette.text2), type: look.logY ? 'log' : 'linear' },
      shapes: [...reference, ...resumeLines(marks.resumed, perStep(rows, look), look, palette.warning)],
      annotations: [
        ...(marks.constant === null ? [] : [constantWords(marks.constant * factor, metric, palette.text2)]),
        ...resumeWords(marks.resumed, perStep(rows, look), look, palette.warning),
      ],
    },
  }
}

function scaled(value: number | null | undefined, factor: number): number | null {
  return value === null || value === undefined ? null : value * factor
}

/** A training curve: raw faint behind, smoothed in front, and a cross where it stopped being finite. */
export function trainingFigure(series: Series, weight: number, look: Look, resumed: readonly Resumed[] = []): PlotlyFigure {
  const palette = PALETTES[look.scheme]
  const x = positions(series, look.axis, look.origin)
  const hover = `${AXIS_TITLES[look.axis]} %{x:,.4~g}<br>%{y:.4~g}<extra></extra>`
  const raw: Trace = { type: 'scatter', mode: 'lines', x, y: series.value, line: { color: weight > 0 ? palette.missing : palette.text, width: 1 }, opacity: weight > 0 ? 0.55 : 1, hovertemplate: hover, hoverinfo: weight > 0 ? 'skip' : undefined }
  const front: Trace = { type: 'scatter', mode: 'lines', x, y: smooth(series.value, weight), line: { color: palette.text, width: 1.75 }, hovertemplate: hover }
  const layout = baseLayout(look, palette)
  return {
    data: [raw, ...(weight > 0 ? [front] : []), ...divergence(series, x, palette.warning)],
    layout: {
      ...layout,
      margin: { l: 44, r: 8, t: 6, b: 26 },
      shapes: resumeLines(resumed, perStep(pointsOf(series), look), look, palette.warning),
      xaxis: { ...(layout.xaxis as object), title: undefined, nticks: 5 },
      yaxis: { ...(layout.yaxis as object), nticks: 4, type: look.logY ? 'log' : 'linear' },
    },
  }
}

function divergence(series: Series, x: readonly number[], colour: string): Trace[] {
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

function baseLayout(look: Look, palette: (typeof PALETTES)[Scheme]): Layout {
  const axis = { gridcolor: palette.grid, linecolor: palette.line, showline: true, zeroline: false, ticks: '', tickfont: { size: 11, color: palette.text2 }, automargin: true }
  return {
    font: { family: FONT, size: 12, color: palette.text },
    paper_bgcolor: 'rgba(0,0,0,0)',
    plot_bgcolor: 'rgba(0,0,0,0)',
    hoverlabel: { bgcolor: palette.raised, bordercolor: palette.line, font: { color: palette.text, size: 12 } },
    hovermode: 'closest',
    showlegend: false,
    margin: { l: 56, r: 16, t: 24, b: 44 },
    xaxis: { ...axis, title: titled(AXIS_TITLES[look.axis], palette.text2), rangemode: 'tozero' },
    yaxis: axis,
  }
}

function titled(text: string, color: string) {
  return { text, font: { size: 12, color }, standoff: 8 }
}

function constantLine(y: number, color: string) {
  return { type: 'line', xref: 'paper', x0: 0, x1: 1, y0: y, y1: y, line: { color, width: 1.2, dash: '4px,4px' }, layer: 'below' }
}

function constantWords(y: number, metric: MetricEntry, color: string) {
  const digits = isShare(metric) ? 1 : 3
  return { xref: 'paper', x: 1, xanchor: 'right', yref: 'paper', y: 1, yanchor: 'bottom', showarrow: false, font: { size: 11, color }, text: `╌ constant prediction ${y.toFixed(digits)} ${metric.unit}` }
}

/** How far the axis goes with a step; null before the first. */
function perStep(rows: readonly Timed[], look: Look): number | null {
  const row = rows.find((r) => r.step > 0)
  return row ? position(row, look.axis, look.origin) / row.step : null
}

function pointsOf(series: Series): Timed[] {
  return series.step.slice(0, 2).map((step, i) => ({ step, images_seen: series.images_seen[i]!, epoch: series.epoch[i]!, wall: series.wall[i]! }))
}

/** A resumed attempt's place: on the axis of time when it began, on the others the step it went on from. */
function placeOf({ step, wall }: Resumed, scale: number | null, look: Look): number | null {
  if (look.axis === 'time') return (wall - look.origin) / 60
  return look.axis === 'step' ? step : scale === null ? null : scale * step
}

function resumeLines(resumed: readonly Resumed[], scale: number | null, look: Look, color: string) {
  return resumed.flatMap((mark) => {
    const x = placeOf(mark, scale, look)
    return x === null ? [] : [{ type: 'line', xref: 'x', yref: 'paper', x0: x, x1: x, y0: 0, y1: 1, line: { color, width: 1.2, dash: '3px,3px' } }]
  })
}

function resumeWords(resumed: readonly Resumed[], scale: number | null, look: Look, color: string) {
  return resumed.flatMap((mark) => {
    const x = placeOf(mark, scale, look)
    return x === null ? [] : [{ xref: 'x', yref: 'paper', x, y: 1, xanchor: 'left', yanchor: 'top', xshift: 4, showarrow: false, font: { size: 11, color }, text: mark.words }]
  })
}
