/** The grid of depth maps: a row an image, a column a run. */

import type { ColumnEntry, FrameEntry, MetricEntry, PredictionEntry, Qualitative, RunSummary } from '../api/types'
import { metric as metricText, metricName, metricWithUnit } from './format'

export interface TileColumn extends ColumnEntry {
  run: RunSummary
}

export interface TileRow {
  frame: FrameEntry
  /** one a column, null where the run has not predicted this image at this step */
  predictions: (PredictionEntry | null)[]
  /** what the row is sorted by */
  score: number | null
}

export interface TileGrid {
  columns: TileColumn[]
  rows: TileRow[]
}

export const ORDERS = ['position', 'worst', 'best', 'difference'] as const
export type Order = (typeof ORDERS)[number]

export interface Sort {
  order: Order
  metric: string
}

/** `rmse:difference`, as the address and the exported figure have it; anything else is the dataset's order. */
export function parseSort(text: unknown): Sort {
  const [metric, order = 'worst'] = typeof text === 'string' ? text.split(':') : []
  const known = ORDERS.includes(order as Order) && order !== 'position'
  return metric && metric !== 'position' && known ? { metric, order: order as Order } : { metric: 'rmse', order: 'position' }
}

export function sortText({ order, metric }: Sort): string | undefined {
  return order === 'position' ? undefined : `${metric}:${order}`
}

/** Two columns that are set against each other, by their place; −1 is the ground truth. */
export interface Pair {
  a: number
  b: number
}

export const TRUTH = -1

/** Those that the address names by their runs (`truth`, or a number), else the first two. */
export function parsePair(a: unknown, b: unknown, columns: readonly ColumnEntry[]): Pair {
  const at = (side: unknown) => (side === 'truth' ? TRUTH : columns.findIndex((column) => column.run_id === side))
  const named = (side: unknown, place: number) => side === 'truth' || place >= 0
  const other = (place: number) => columns.findIndex((_, i) => i !== place)
  const [first, second] = [at(a), at(b)]
  const chosen = named(a, first) ? first : other(named(b, second) ? second : TRUTH)
  return { a: chosen, b: named(b, second) ? second : other(chosen) }
}

export function sideText(side: number, columns: readonly ColumnEntry[]): number | 'truth' {
  return columns[side]?.run_id ?? 'truth'
}

type Data = Pick<Qualitative, 'frames' | 'runs' | 'predictions' | 'columns'>

export function columnsOf(data: Data | undefined): TileColumn[] {
  const runs = new Map(data?.runs.map((run) => [run.id, run]))
  return (data?.columns ?? []).flatMap((column) => {
    const run = runs.get(column.run_id)
    return run ? [{ ...column, run }] : []
  })
}

export function tileGrid(data: Data, sort: Sort, pair: Pair, lowerIsBetter: boolean): TileGrid {
  const columns = columnsOf(data)
  const byPlace = new Map(data.predictions.map((p) => [`${p.run_id} ${p.frame_id}`, p]))
  const rows = data.frames.map((frame) => {
    const predictions = columns.map((column) => byPlace.get(`${column.run_id} ${frame.id}`) ?? null)
    return { frame, predictions, score: score(predictions, sort, pair) }
  })
  return { columns, rows: sortRows(rows, sort, lowerIsBetter) }
}

/** The mean over the columns, or A's value less B's; null where it is not to be had. */
function score(predictions: (PredictionEntry | null)[], { order, metric }: Sort, { a, b }: Pair): number | null {
  if (order === 'difference') {
    const [x, y] = [predictions[a]?.metrics[metric], predictions[b]?.metrics[metric]]
    return x == null || y == null ? null : x - y
  }
  const values = predictions.flatMap((p) => p?.metrics[metric] ?? [])
  return values.length === 0 ? null : values.reduce((sum, v) => sum + v, 0) / values.length
}

function sortRows(rows: TileRow[], { order }: Sort, lowerIsBetter: boolean): TileRow[] {
  if (order === 'position') return rows.toSorted((a, b) => a.frame.position - b.frame.position)
  const ascending = order !== 'difference' && (order === 'best') === lowerIsBetter
  const sign = ascending ? 1 : -1
  return rows.toSorted((a, b) => {
    if (a.score === null || b.score === null) return Number(a.score === null) - Number(b.score === null)
    return sign * (a.score - b.score) || a.frame.position - b.frame.position
  })
}

/** `+0.280 m` */
export function differenceText(value: number | null, entry?: MetricEntry): string {
  if (value === null) return 'no value'
  return (value > 0 ? '+' : '') + metricWithUnit(value, entry)
}

/** The metrics that some tile has, those of `known` in its order. */
export function tileMetrics(predictions: readonly PredictionEntry[], known: readonly MetricEntry[]): MetricEntry[] {
  return known.filter((entry) => predictions.some((p) => p.metrics[entry.name] != null))
}

export function metricWords(name: string, entry?: MetricEntry): string {
  return entry ? metricName(entry) : name
}

export function tileMetric(prediction: PredictionEntry | null, name: string, entry?: MetricEntry): string {
  return prediction && prediction.metrics[name] != null ? metricText(prediction.metrics[name], entry) : ''
}

/** `test/00033` → `test`, `00033`: the folder and the file stand on two lines. */
export function frameName(frame: string): [string, string] {
  const at = frame.lastIndexOf('/')
  return at < 0 ? ['', frame] : [frame.slice(0, at), frame.slice(at + 1)]
}
