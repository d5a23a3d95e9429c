/** Smoothing for the eye only: what is published is never smoothed. Python's backend/figures/smoothing.py does the same. */

import type { PlotlyFigure, Trace } from './figure'

export const MOST_SMOOTHING = 0.99
const FAINT = 0.3
const SMOOTHED = ['mean', 'run', 'seed']
const KEPT = ['type', 'x', 'y', 'xaxis', 'yaxis', 'legendgroup']

/**
 * Exponential moving average, debiased as in Adam: s_i = Σ w^(i−j) y_j / Σ w^(i−j) over the finite y_j so far.
 * `weight` 0 returns the values, towards 1 it smooths more. A missing value stays missing and does not count.
 */
export function smooth(values: readonly (number | null)[], weight: number): (number | null)[] {
  if (weight <= 0) return [...values]
  let sum = 0
  let mass = 0
  return values.map((value) => {
    if (value === null || !Number.isFinite(value)) return null
    sum = sum * weight + value
    mass = mass * weight + 1
    return sum / mass
  })
}

/** The weight in the address, or none. */
export function parseWeight(value: unknown): number {
  return typeof value === 'number' && value > 0 ? Math.min(MOST_SMOOTHING, value) : 0
}

/** The figure with its curves smoothed, the raw ones faint behind; itself at weight 0. */
export function smoothed(figure: PlotlyFigure, weight: number): PlotlyFigure {
  if (weight <= 0) return figure
  const meta = { ...figure.layout.meta, caption: `${words(weight)} ${String(figure.layout.meta?.caption ?? '')}` }
  return { data: figure.data.flatMap((trace) => parts(trace, weight)), layout: { ...figure.layout, meta } }
}

function words(weight: number): string {
  return `Lines are smoothed for the eye (debiased moving average, weight ${weight.toFixed(2)}), the raw values faint behind; marks, bands and all numbers are raw.`
}

function parts(trace: Trace, weight: number): Trace[] {
  const role = trace.meta?.role
  if (!role || !SMOOTHED.includes(role)) return [trace]
  const template = trace.hovertemplate
  const line: Trace = { ...trace, y: smooth(trace.y ?? [], weight) }
  if (typeof template === 'string') line.hovertemplate = template.replace('%{y', 'smoothed %{y')
  if (role === 'seed') return [line]
  const kept = Object.fromEntries(KEPT.filter((key) => key in trace).map((key) => [key, trace[key]]))
  const colour = (trace.line as { color: string }).color
  return [{ ...kept, mode: 'lines', line: { color: colour, width: 1 }, opacity: FAINT, hoverinfo: 'skip', showlegend: false, meta: { ...trace.meta, role: 'raw' } }, line]
}
