/** Figures arrive finished from the API: here they are fitted to the page and read, never recomputed. */

import { isMarker, parseDash, type Marker } from './losses'

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
const HEADER_PX = 10
const ROW_NAME_PX = 22

/** The figure without its legend above it; what stands over its panels keeps its room. */
export function withoutLegend(figure: PlotlyFigure): PlotlyFigure {
  const { margin, ...layout } = figure.layout
  const has = (name: string) => (layout.annotations ?? []).some((note) => note.name === name)
  const room = TOP_PX + (has('header') ? HEADER_PX : 0) + (has('row') ? ROW_NAME_PX : 0)
  return { ...figure, layout: { ...layout, showlegend: false, height: heightOf(figure) - (margin?.t ?? room) + room, margin: { ...margin, t: room } } }
}

export interface RunLine {
  run: number
  name: string
  group: string
  colour: string
  /** as SVG's stroke-dasharray; undefined is solid */
  dash?: string
  marker?: Marker
  hollow: boolean
}

/** The lines of a figure that draws one a run. */
export function runLines(figure: PlotlyFigure): RunLine[] {
  return figure.data
    .filter((trace) => trace.meta?.role === 'run')
    .map((trace) => {
      return { run: Number(trace.meta!.run_id), name: String(trace.meta!.label ?? trace.name), group: String(trace.legendgroup), ...lookOf(trace) }
    })
}

/** How a trace is drawn, for its glyph in a table or legend. */
export function lookOf(trace: Trace): { colour: string; dash?: string; marker?: Marker; hollow: boolean } {
  const { color, dash } = trace.line as { color: string; dash?: string }
  const symbol = String((trace.marker as { symbol?: string } | undefined)?.symbol ?? '')
  const name = symbol.replace(/-open$/, '')
  return { colour: color, dash: parseDash(dash ?? '').join(' ') || undefined, marker: isMarker(name) ? name : undefined, hollow: symbol.endsWith('-open') }
}

/** How strongly a group is drawn while the group `lifted` stands out; null where none does. */
export function strength(group: string | undefined, lifted: string | null): 'lifted' | 'dimmed' | null {
  if (lifted === null || !group) return null
  return group === lifted ? 'lifted' : 'dimmed'
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

const PREVIEW_PX = 210
const ROW_PX = 15

/** Rows of names need their room; everything else fits. */
export function previewHeight(figure: PlotlyFigure): number {
  const names = Object.entries(figure.layout).map(([key, axis]) => (key.startsWith('yaxis') ? ((axis as { ticktext?: unknown[] }).ticktext?.length ?? 0) : 0))
  const { t = 0, b = 0 } = figure.layout.margin ?? {}
  return Math.max(PREVIEW_PX, ROW_PX * Math.max(0, ...names) + t + b)
}

/** Panels of one row share the title of the first. */
function axisTitle(axis: unknown): unknown {
  return (axis as { title?: { text?: string } } | undefined)?.title?.text ? (axis as { title: unknown }).title : undefined
}

/** A line of more points than this has no marker on each. */
const MANY = 4

/** Under 250 px dashes and markers look noisy: thinner lines, smaller marks, none along a line; the base stays thick. */
function thin(trace: Trace): Trace {
  const line = trace.line as { width?: number } | undefined
  const marker = trace.marker as { size?: number } | undefined
  return {
    ...trace,
    ...(line?.width ? { line: { ...line, width: line.width > 2.5 ? line.width : Math.min(line.width, 1.5) } } : {}),
    ...(trace.meta?.role === 'mean' && trace.mode === 'lines+markers' && line && 'dash' in line && (trace.x?.length ?? 0) > MANY ? { mode: 'lines' } : {}),
    ...(typeof marker?.size === 'number' ? { marker: { ...marker, size: marker.size * 0.8 } } : {}),
  }
}

export interface PanelBox {
  axis: string
  left: number
  top: number
  width: number
  height: number
  /** what is shown now, of log axes in powers of ten */
  range: [number, number]
  log: boolean
  yRange: [number, number]
  yLog: boolean
  /** the end of the whole axis */
  end: number
}

interface DrawnAxis {
  _offset: number
  _length: number
  range: [number, number]
  anchor: string
  type?: string
}

/** Where Plotly has put the panels, from its full layout; `ends` are the axes' ends before anyone zoomed. */
export function panelBoxes(full: Record<string, unknown>, ends: Record<string, number> = {}): PanelBox[] {
  const keys = Object.keys(full).filter((key) => /^xaxis\d*$/.test(key))
  return keys.flatMap((key) => {
    const x = full[key] as DrawnAxis & { visible?: boolean }
    const y = full[axisKey(x.anchor ?? 'y')] as DrawnAxis | undefined
    if (!y || x.visible === false) return []
    const end = ends[`x${key.slice(5)}`] ?? x.range[1]
    return [{ axis: `x${key.slice(5)}`, left: x._offset, top: y._offset, width: x._length, height: y._length, range: x.range, log: x.type === 'log', yRange: y.range, yLog: y.type === 'log', end }]
  })
}

/** The end of each x axis as the figure gives it. */
export function axisEnds(figure: PlotlyFigure): Record<string, number> {
  return Object.fromEntries(panelAxes(figure).flatMap((axis) => (endOf(figure, axis) === undefined ? [] : [[axis, endOf(figure, axis)!]])))
}

function endOf(figure: PlotlyFigure, axis: string): number | undefined {
  const known = panelFacts(figure)[axis]?.end
  if (known !== undefined) return known
  const { range, type } = (figure.layout[axisKey(axis)] ?? {}) as { range?: [number, number]; type?: string }
  return range && (type === 'log' ? 10 ** range[1] : range[1])
}

function panelFacts(figure: PlotlyFigure): Record<string, { end: number; images: number }> {
  return (figure.layout.meta?.panels ?? {}) as Record<string, { end: number; images: number }>
}

export interface PanelValues {
  axis: string
  title: string
  /** the end of the panel's axis: all that will be trained */
  end: number
  /** training images for each unit of x */
  images: number
  lines: PanelLine[]
}
export interface PanelLine {
  group: string
  loss: string
  colour: string
  dash?: string
  marker?: Marker
  hollow: boolean
  x: readonly number[]
  y: readonly number[]
  std: readonly (number | null)[]
  n: readonly number[]
  /** the band beside each value, as the figure prints it */
  spreads: readonly string[]
  /** x at which the target was reached first */
  reached: number | null
  /** whether it will still be evaluated */
  going: boolean
}

/** The mean curves of each panel with their labels, for the table under the panels; the base first. */
export function panelValues(figure: PlotlyFigure): PanelValues[] {
  const base = figure.layout.meta?.base
  return panelAxes(figure).flatMap((axis) => {
    const traces = figure.data.filter((trace) => (trace.xaxis ?? 'x') === axis && trace.meta?.role === 'mean')
    if (traces.length === 0) return []
    const lines = traces.map(panelLine).toSorted((a, b) => Number(b.group === base) - Number(a.group === base))
    const end = endOf(figure, axis) ?? Math.max(...lines.flatMap((line) => [...line.x]))
    return [{ axis, title: panelTitle(figure, axis), end, images: panelFacts(figure)[axis]?.images ?? 1, lines }]
  })
}

function panelLine(trace: Trace): PanelLine {
  const meta = trace.meta ?? {}
  const each = <T>(value: unknown, i: number) => (Array.isArray(value) ? value[i] : value) as T
  const kept = (trace.x ?? []).flatMap((x, i) => (x !== null && trace.y?.[i] != null ? [i] : []))
  return {
    group: String(trace.legendgroup ?? trace.name ?? ''),
    loss: String(meta.loss ?? ''),
    ...lookOf(trace),
    x: kept.map((i) => trace.x![i]!),
    y: kept.map((i) => trace.y![i]!),
    std: kept.map((i) => each<number | null | undefined>(meta.std, i) ?? null),
    n: kept.map((i) => each<number | undefined>(meta.n, i) ?? 1),
    spreads: kept.map((i) => String(trace.customdata?.[i] ?? '').replace(/,? ?n = \d+$/, '')),
    reached: typeof meta.reached === 'number' ? meta.reached : null,
    going: meta.going === true,
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
