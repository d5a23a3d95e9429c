/** Figures arrive finished from the API: here they are fitted to the page and read, never recomputed. */

import { parseDash } from './losses'

export type Trace = Record<string, unknown> & {
  x?: readonly (number | null)[]
  y?: readonly (number | null)[]
  xaxis?: string
  yaxis?: string
  name?: string
  legendgroup?: string
  customdata?: readonly unknown[]
  meta?: { role?: string; loss?: string; [fact: string]: unknown }
}
export type Layout = Record<string, unknown> & {
  meta?: Record<string, unknown>
  annotations?: Record<string, unknown>[]
  shapes?: Record<string, unknown>[]
  height?: number
  margin?: Record<string, number>
}
export interface PlotlyFigure {
  data: Trace[]
  layout: Layout
}

/** An option whose value the figure itself chooses, and what else it may be for the data shown. */
export type Choices = Record<string, { shown: string; levels: string[] }>

export function choices(figure: PlotlyFigure | undefined): Choices {
  return (figure?.layout.meta?.choices ?? {}) as Choices
}

/** The sentences under a figure: what was averaged, on what, how many. */
export function caption(figure: PlotlyFigure | undefined): string | null {
  const text = figure?.layout.meta?.caption
  return typeof text === 'string' ? text : null
}

export function heightOf(figure: PlotlyFigure, fallback = 420): number {
  return typeof figure.layout.height === 'number' ? figure.layout.height : fallback
}

/** The layout for the page: it fills the width and keeps the reader's zoom when data arrives. */
export function fitLayout(layout: Layout, height: number): Layout {
  const { width: _width, ...rest } = layout
  return { ...rest, height, autosize: true, uirevision: 'keep' }
}

const TOP_PX = 16

/** The figure without the line of its legend above it. */
export function withoutLegend(figure: PlotlyFigure): PlotlyFigure {
  const { margin, ...layout } = figure.layout
  const top = margin?.t ?? TOP_PX
  return { ...figure, layout: { ...layout, showlegend: false, height: heightOf(figure) - top + TOP_PX, margin: { ...margin, t: TOP_PX } } }
}

export interface RunLine {
  run: number
  name: string
  group: string
  colour: string
  /** as SVG's stroke-dasharray; undefined is solid */
  dash?: string
}

/** The lines of a figure that draws one a run. */
export function runLines(figure: PlotlyFigure): RunLine[] {
  return figure.data
    .filter((trace) => trace.meta?.role === 'run')
    .map((trace) => {
      const { color, dash } = trace.line as { color: string; dash: string }
      return { run: Number(trace.meta!.run_id), name: String(trace.meta!.label ?? trace.name), group: String(trace.legendgroup), colour: color, dash: parseDash(dash).join(' ') || undefined }
    })
}

/** Opacity of each trace while the group `lifted` stands out; all full when none does. */
export function lift(data: readonly Trace[], lifted: string | null): number[] {
  const known = lifted !== null && data.some((trace) => trace.legendgroup === lifted)
  return data.map((trace) => (!known || !trace.legendgroup || trace.legendgroup === lifted ? 1 : 0.25))
}

/** `x`, `x2` … of the panels that hold traces, in order. */
export function panelAxes(figure: PlotlyFigure): string[] {
  const axes = new Set(figure.data.map((trace) => trace.xaxis ?? 'x'))
  return [...axes].toSorted((a, b) => axisNumber(a) - axisNumber(b))
}

function axisNumber(axis: string): number {
  return Number(axis.slice(1) || '1')
}

/** layout key of an axis: `x2` → `xaxis2` */
export function axisKey(axis: string): string {
  return `${axis[0]}axis${axis.slice(1)}`
}

/** One panel of a figure as a small figure of its own: for a preview beside a link to the whole. */
export function onlyPanel(figure: PlotlyFigure, xaxis: string): PlotlyFigure {
  const yaxis = `y${xaxis.slice(1)}`
  const { legend: _legend, ...layout } = figure.layout
  const title = Object.entries(layout).find(([key, value]) => key.startsWith('yaxis') && axisTitle(value))?.[1]
  const axes = Object.fromEntries(
    Object.entries(layout).flatMap(([key, value]) => {
      if (!/^[xy]axis\d*$/.test(key)) return [[key, value]]
      if (key !== axisKey(xaxis) && key !== axisKey(yaxis)) return []
      const drawn = { ...(value as object), domain: [0, 1] }
      return [[key, key.startsWith('y') ? { title: axisTitle(title), ...drawn, anchor: xaxis, showticklabels: true } : { ...drawn, anchor: yaxis }]]
    }),
  )
  const here = (item: Record<string, unknown>) => String(item.xref ?? '').split(' ')[0] === xaxis
  const notes = (layout.annotations ?? []).filter((note) => here(note) && note.name === 'notice')
  return {
    data: figure.data.filter((trace) => (trace.xaxis ?? 'x') === xaxis && trace.meta?.role !== 'legend').map(thin),
    layout: {
      ...axes,
      annotations: notes,
      shapes: (layout.shapes ?? []).filter(here),
      showlegend: false,
      margin: { l: 48, r: 10, t: 8, b: 40 },
    },
  }
}

/** Panels of one row share the title of the first. */
function axisTitle(axis: unknown): unknown {
  return (axis as { title?: { text?: string } } | undefined)?.title?.text ? (axis as { title: unknown }).title : undefined
}

/** Under 250 px dashes and markers look noisy: thinner lines, smaller marks. */
function thin(trace: Trace): Trace {
  const line = trace.line as { width?: number } | undefined
  const marker = trace.marker as { size?: number } | undefined
  return {
    ...trace,
    ...(line?.width ? { line: { ...line, width: Math.min(line.width, 1.5) } } : {}),
    ...(typeof marker?.size === 'number' ? { marker: { ...marker, size: marker.size * 0.8 } } : {}),
  }
}

export interface PanelBox {
  axis: string
  left: number
  top: number
  width: number
  height: number
  /** what is shown now */
  range: [number, number]
  /** the end of the whole axis */
  end: number
}

interface DrawnAxis {
  _offset: number
  _length: number
  range: [number, number]
  anchor: string
}

/** Where Plotly has put the panels, from its full layout; `ends` are the axes' ends before anyone zoomed. */
export function panelBoxes(full: Record<string, unknown>, ends: Record<string, number> = {}): PanelBox[] {
  const keys = Object.keys(full).filter((key) => /^xaxis\d*$/.test(key))
  return keys.flatMap((key) => {
    const x = full[key] as DrawnAxis & { visible?: boolean }
    const y = full[axisKey(x.anchor ?? 'y')] as DrawnAxis | undefined
    if (!y || x.visible === false) return []
    const end = ends[`x${key.slice(5)}`] ?? x.range[1]
    return [{ axis: `x${key.slice(5)}`, left: x._offset, top: y._offset, width: x._length, height: y._length, range: x.range, end }]
  })
}

/** The end of each x axis as the figure gives it. */
export function axisEnds(figure: PlotlyFigure): Record<string, number> {
  return Object.fromEntries(
    panelAxes(figure).flatMap((axis) => {
      const range = (figure.layout[axisKey(axis)] as { range?: [number, number] } | undefined)?.range
      return range ? [[axis, range[1]]] : []
    }),
  )
}

export interface PanelValues {
  axis: string
  title: string
  /** the end of the panel's axis: all that will be trained */
  end: number
  lines: PanelLine[]
}
export interface PanelLine {
  group: string
  loss: string
  x: readonly number[]
  y: readonly number[]
  /** ± and n beside each value, as the figure prints them */
  notes: readonly { spread: string; n: number | null }[]
}

/** The mean curves of each panel with their labels, for the table under the panels. */
export function panelValues(figure: PlotlyFigure): PanelValues[] {
  return panelAxes(figure).flatMap((axis) => {
    const lines = figure.data.filter((trace) => (trace.xaxis ?? 'x') === axis && trace.meta?.role === 'mean').map(panelLine)
    if (lines.length === 0) return []
    const range = (figure.layout[axisKey(axis)] as { range?: [number, number] } | undefined)?.range
    const end = range?.[1] ?? Math.max(...lines.flatMap((line) => [...line.x]))
    return [{ axis, title: panelTitle(figure, axis), end, lines }]
  })
}

function panelLine(trace: Trace): PanelLine {
  const points = (trace.x ?? []).map((x, i) => ({ x, y: trace.y?.[i] ?? null, note: trace.customdata?.[i] }))
  const finite = points.filter((point): point is { x: number; y: number; note: unknown } => point.x !== null && point.y !== null)
  return {
    group: String(trace.legendgroup ?? trace.name ?? ''),
    loss: String(trace.meta?.loss ?? ''),
    x: finite.map((point) => point.x),
    y: finite.map((point) => point.y),
    notes: finite.map(({ note }) => (Array.isArray(note) ? { spread: String(note[0] ?? '').trim(), n: Number(note[1]) || null } : { spread: '', n: null })),
  }
}

export function panelTitle(figure: PlotlyFigure, axis: string): string {
  const header = (figure.layout.annotations ?? []).find((note) => note.name === 'header' && String(note.xref).split(' ')[0] === axis)
  return String(header?.text ?? '').replace(/<[^>]+>/g, '').trim().replace(/ {2,}/g, ' · ')
}

/** Index of the last value at or before `x`; −1 before the first. */
export function indexAt(line: PanelLine, x: number): number {
  return line.x.findLastIndex((value) => value <= x * (1 + 1e-9))
}

export function best(line: PanelLine, lowerIsBetter: boolean): number | null {
  if (line.y.length === 0) return null
  return lowerIsBetter ? Math.min(...line.y) : Math.max(...line.y)
}
