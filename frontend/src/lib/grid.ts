/** The completeness grid: rows are losses, columns sizes within an encoder (and a dataset), a cell holds one run a seed. */

import type { MissingCell, RunSummary } from '../api/types'
import { compareLosses } from './losses'

/** What has a place in the grid: a run, or a cell without one. */
export type Placed = Pick<RunSummary, 'id' | 'loss' | 'loss_label' | 'train_size' | 'encoder' | 'dataset' | 'seed'>
/** Cells without a run count down from -1. */
export type Gap = MissingCell & { id: number; status: 'missing' }
export type Mark = RunSummary | Gap

export function isGap(mark: Mark): mark is Gap {
  return mark.status === 'missing'
}

export function gaps(cells: readonly MissingCell[]): Gap[] {
  return cells.map((cell, i) => ({ ...cell, id: -1 - i, status: 'missing' }))
}

export interface GridRow {
  label: string
  loss: string
}
export interface GridColumn<T> {
  size: number
  /** label of the row -> its runs here, seeds ascending */
  cells: Map<string, T[]>
  /** the most runs any cell of this column holds */
  width: number
  /** places of all columns before this one: where the arrow keys are */
  start: number
}
export interface GridGroup<T> {
  encoder: string
  dataset: string
  columns: GridColumn<T>[]
}
export interface Grid<T = Mark> {
  rows: GridRow[]
  groups: GridGroup<T>[]
}

export function completeness<T extends Placed>(runs: readonly T[]): Grid<T> {
  const rows = [...new Map(runs.map((run) => [run.loss_label, { label: run.loss_label, loss: run.loss }])).values()]
  rows.sort((a, b) => compareLosses(a.loss, b.loss) || a.label.localeCompare(b.label, 'en', { numeric: true }))
  const groups = [...groupBy(runs, (run) => `${run.dataset}\n${run.encoder}`).values()].map(group)
  let start = 0
  for (const place of groups.flatMap((g) => g.columns)) {
    place.start = start
    start += place.width
  }
  return { rows, groups }
}

function group<T extends Placed>(runs: T[]): GridGroup<T> {
  const bySize = [...groupBy(runs, (run) => run.train_size)].toSorted(([a], [b]) => a - b)
  return { encoder: runs[0]!.encoder, dataset: runs[0]!.dataset, columns: bySize.map(([size, members]) => column(size, members)) }
}

function column<T extends Placed>(size: number, runs: T[]): GridColumn<T> {
  const cells = groupBy(runs, (run) => run.loss_label)
  for (const members of cells.values()) members.sort((a, b) => a.seed - b.seed || a.id - b.id)
  return { size, cells, width: Math.max(...[...cells.values()].map((members) => members.length)), start: 0 }
}

export function groupBy<T, K>(items: readonly T[], key: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>()
  for (const item of items) {
    const members = groups.get(key(item))
    if (members) members.push(item)
    else groups.set(key(item), [item])
  }
  return groups
}

/** The marks between two, both included, over the rows and columns that they span. */
export function between<T extends Placed>(grid: Grid<T>, from: number, to: number): T[] {
  const placed = grid.rows.flatMap((row, y) =>
    grid.groups.flatMap((g) => g.columns.flatMap((place) => (place.cells.get(row.label) ?? []).map((mark, i) => ({ mark, y, x: place.start + i })))),
  )
  const a = placed.find((one) => one.mark.id === from)
  const b = placed.find((one) => one.mark.id === to)
  if (!a || !b) return []
  const inside = (at: number, one: number, other: number) => at >= Math.min(one, other) && at <= Math.max(one, other)
  return placed.filter(({ x, y }) => inside(x, a.x, b.x) && inside(y, a.y, b.y)).map(({ mark }) => mark)
}

export type CellState = 'done' | 'running' | 'queued' | 'failed' | 'diverged' | 'cancelled'

export function markState(mark: Mark): CellState | 'missing' {
  return isGap(mark) ? 'missing' : cellState(mark)
}

/** What a cell shows first: a divergence outranks that the run went on to its end. */
export function cellState(run: Pick<RunSummary, 'status' | 'diverged_at'>): CellState {
  if (run.status === 'failed') return 'failed'
  if (run.diverged_at != null && (run.status === 'finished' || run.status === 'running')) return 'diverged'
  return run.status === 'finished' ? 'done' : run.status
}

/** A setting that differs between runs that share loss, size, encoder, dataset and seed, as `lr 0.001`. */
export function otherLevels(run: { levels?: Record<string, unknown> }): [string, unknown][] {
  const shown = new Set(['loss', 'data.train_size', 'network.encoder', 'data.dataset', 'seed'])
  return Object.entries(run.levels ?? {}).filter(([path]) => !shown.has(path))
}
