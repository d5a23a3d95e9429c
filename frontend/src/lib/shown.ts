/** Which lines of a figure are shown, as its legend is clicked; in the address as `hidden` or `only`. */

import type { PlotlyFigure } from './figure'

/** As backend.figures.selector separates names. */
const BETWEEN = '|'

export interface Shown {
  hidden?: string
  only?: string
}

function names(text: unknown): string[] {
  return text === undefined || text === '' ? [] : String(text).split(BETWEEN)
}

/** The groups of `all` that are not shown. */
export function hiddenOf(all: readonly string[], { hidden, only }: { hidden?: unknown; only?: unknown } | { [option: string]: unknown }): Set<string> {
  const kept = names(only)
  const gone = names(hidden)
  return new Set(all.filter((name) => gone.includes(name) || (kept.length > 0 && !kept.includes(name))))
}

/** One name alone reads better as `only` than as all the others. */
function shownAs(all: readonly string[], hidden: ReadonlySet<string>): Shown {
  const left = all.filter((name) => !hidden.has(name))
  if (hidden.size === 0 || left.length === 0) return { hidden: undefined, only: undefined }
  if (left.length === 1) return { hidden: undefined, only: left[0] }
  return { hidden: [...hidden].join(BETWEEN), only: undefined }
}

/** A click hides a line or shows it again; the last one that is hidden brings all back. */
export function toggled(all: readonly string[], hidden: ReadonlySet<string>, name: string): Shown {
  const next = new Set(hidden)
  if (!next.delete(name)) next.add(name)
  return shownAs(all, next)
}

/** A double click shows one line alone, and on that one all again; `hidden` is what was hidden before its first click. */
export function isolated(all: readonly string[], hidden: ReadonlySet<string>, name: string): Shown {
  const alone = all.every((other) => (other === name) !== hidden.has(other))
  return shownAs(all, alone ? new Set() : new Set(all.filter((other) => other !== name)))
}

/** The figure without the traces of hidden lines. */
export function withoutHidden(figure: PlotlyFigure, hidden: ReadonlySet<string>): PlotlyFigure {
  if (hidden.size === 0) return figure
  const data = figure.data.filter((trace) => trace.legendgroup === undefined || !hidden.has(trace.legendgroup))
  // A panel that lost its last trace keeps its axes.
  const axes = new Set(data.map((trace) => trace.xaxis ?? 'x'))
  const empty = figure.data.filter((trace) => !axes.has(trace.xaxis ?? 'x')).map((trace) => ({ type: 'scatter', x: [null], y: [null], xaxis: trace.xaxis, yaxis: trace.yaxis, showlegend: false, hoverinfo: 'skip' }))
  return { ...figure, data: [...data, ...empty] }
}
