/** What the three drawings of the page show: which losses, and their curves as points. */

import type { PlotLine } from '../../components/LinePlot'
import type { Losses } from '../../components/useLosses'
import type { Point } from '../../lib/labels'
import { SHAPES, type Knobs } from '../../lib/lossShapes'

/** The paper's that have a curve: enough to compare with. */
export const COMPARED = ['l1', 'l2', 'huber', 'berhu', 'eigen']

/** Those to draw, the chosen one last, which lies on top. */
export function drawn(chosen: string, all: boolean): string[] {
  const names = all ? Object.keys(SHAPES) : COMPARED
  return [...names.filter((name) => name !== chosen), ...(chosen in SHAPES ? [chosen] : [])]
}

export function asLines(names: readonly string[], chosen: string, losses: Losses, curve: (name: string) => Point[], label = (name: string) => losses.title(name)): PlotLine[] {
  return names.map((name) => ({
    key: name,
    label: COMPARED.includes(name) || name === chosen ? label(name) : undefined,
    token: losses.token(name),
    strong: name === chosen,
    faint: !COMPARED.includes(name) && name !== chosen,
    points: curve(name),
  }))
}

const EDGE = 1e-9
/** Where a logarithm is drawn no further: predictions in metres. */
const NEAREST = 0.02
const LOG = new Set(['eigen', 'eigengrad', 'eigen_as_released', 'silog_sqrt'])

/** Residuals to draw at: evenly, and on both sides of every corner. */
export function residuals(c: number, reach: number): number[] {
  const even = Array.from({ length: 161 }, (_, i) => -reach + (2 * reach * i) / 160)
  const corners = [-c, 0, c].flatMap((at) => [at - EDGE, at + EDGE])
  return [...even, ...corners].toSorted((a, b) => a - b)
}

export function shapePoints(name: string, what: 'value' | 'slope', xs: readonly number[], knobs: Knobs): Point[] {
  const seen = LOG.has(name) ? xs.filter((l) => l < knobs.y - NEAREST) : xs
  return seen.map((l) => ({ x: l, y: SHAPES[name]![what](l, knobs) }))
}

export function ticksWithin(low: number, high: number, step: number): number[] {
  const first = Math.ceil(low / step - EDGE)
  return Array.from({ length: Math.floor(high / step + EDGE) - first + 1 }, (_, i) => Number(((first + i) * step).toFixed(6)))
}
