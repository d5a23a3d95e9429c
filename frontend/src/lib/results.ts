/** The results table: ours and the constant prediction sort together, quoted rows stay below a line and are never compared. */

import type { MetricEntry, ResultRow } from '../api/types'
import { groupBy } from './grid'

export interface Sort {
  key: string
  descending: boolean
}

/** `rmse` ascending, `-delta1` descending; the default is the metric's own direction. */
export function parseSort(text: string | undefined, fallback: Sort): Sort {
  if (!text) return fallback
  return text.startsWith('-') ? { key: text.slice(1), descending: true } : { key: text, descending: false }
}

export function sortText(sort: Sort): string {
  return (sort.descending ? '-' : '') + sort.key
}

const TEXT_KEYS: Record<string, (row: ResultRow) => string | number | null> = {
  label: (row) => row.label,
  n: (row) => row.n,
  train_size: (row) => row.train_size,
  encoder: (row) => row.encoder,
  dataset: (row) => row.dataset,
}

/** Rows without a value go last, whichever way the others run. */
export function sortRows(rows: readonly ResultRow[], sort: Sort): ResultRow[] {
  const read = TEXT_KEYS[sort.key] ?? ((row: ResultRow) => row.values[sort.key] ?? null)
  const sign = sort.descending ? -1 : 1
  return rows.toSorted((a, b) => {
    const [x, y] = [read(a), read(b)]
    if (x === null || y === null) return Number(x === null) - Number(y === null)
    return sign * (typeof x === 'number' && typeof y === 'number' ? x - y : String(x).localeCompare(String(y), 'en', { numeric: true }))
  })
}

/** The order before anyone sorts: dataset, the largest size first, encoder, then the smallest value of `lead`. */
export function defaultOrder(rows: readonly ResultRow[], lead = 'rmse'): ResultRow[] {
  return sortRows(rows, { key: lead, descending: false }).toSorted(
    (a, b) =>
      (a.dataset ?? '').localeCompare(b.dataset ?? '') ||
      (b.train_size ?? 0) - (a.train_size ?? 0) ||
      Number(a.encoder === null) - Number(b.encoder === null) ||
      (a.encoder ?? '').localeCompare(b.encoder ?? ''),
  )
}

export interface ColumnGroup {
  words: string
  columns: number
}

type Direction = Pick<MetricEntry, 'unit' | 'lower_is_better' | 'ideal' | 'group'>

/** Neighbouring columns that are read the same way, and the words above them. */
export function columnGroups(metrics: readonly (Direction | undefined)[]): ColumnGroup[] {
  const groups: ColumnGroup[] = []
  for (const words of metrics.map(directionWords)) {
    const last = groups.at(-1)
    if (last?.words === words) last.columns++
    else groups.push({ words, columns: 1 })
  }
  return groups
}

function directionWords(metric?: Direction): string {
  if (metric?.ideal != null) return `ratio, ${metric.ideal} is best`
  if (metric?.unit === 'px') return 'boundary error, px ↓'
  if (metric?.lower_is_better ?? true) return 'error, lower is better ↓'
  return metric?.group === 'sharpness' ? 'edges, higher is better ↑' : 'within threshold, %, higher is better ↑'
}

export interface Choice {
  train_size?: number
  encoder?: string
  dataset?: string
}

/** Ours and the constant prediction for a choice of size, encoder and dataset. */
export function ownRows(rows: readonly ResultRow[], choice: Choice): ResultRow[] {
  const fits = (row: ResultRow) =>
    (choice.train_size === undefined || row.train_size === null || row.train_size === choice.train_size) &&
    (choice.encoder === undefined || row.encoder === null || row.encoder === choice.encoder) &&
    (choice.dataset === undefined || row.dataset === null || row.dataset === choice.dataset)
  return rows.filter((row) => row.kind !== 'published' && fits(row))
}

export function publishedRows(rows: readonly ResultRow[]): ResultRow[] {
  return rows.filter((row) => row.kind === 'published')
}

/** The values a column takes among our rows, ascending. */
export function levels<K extends 'train_size' | 'encoder' | 'dataset'>(rows: readonly ResultRow[], key: K): NonNullable<ResultRow[K]>[] {
  const found = rows.filter((row) => row.kind === 'run' && row[key] !== null).map((row) => row[key] as NonNullable<ResultRow[K]>)
  return [...new Set(found)].toSorted((a, b) => (typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b))))
}

export interface Lowest {
  key: string
  /** the two lowest */
  rows: ResultRow[]
  constant: ResultRow | null
}

/** For each dataset, size and encoder: the two lowest means of `metric`, with the constant prediction of the same data. */
export function lowest(rows: readonly ResultRow[], metric: string): Lowest[] {
  const ours = rows.filter((row) => row.kind === 'run' && row.values[metric] != null)
  const groups = groupBy(ours, (row) => [row.dataset, row.encoder, row.train_size].join('\n'))
  return [...groups]
    .map(([key, members]) => ({
      key,
      rows: sortRows(members, { key: metric, descending: false }).slice(0, 2),
      constant: rows.find((row) => row.kind === 'constant' && sameData(row, members[0]!)) ?? null,
    }))
    .toSorted((a, b) => (a.rows[0]!.train_size ?? 0) - (b.rows[0]!.train_size ?? 0) || a.key.localeCompare(b.key))
}

function sameData(constant: ResultRow, run: ResultRow): boolean {
  return (constant.dataset ?? run.dataset) === run.dataset && (constant.train_size ?? run.train_size) === run.train_size
}
