/** The completeness grid: rows are losses, columns sizes within an encoder (and a dataset), a cell holds one run a seed. */

import type { RunSummary } from '../api/types'
import { compareLosses } from './losses'

export interface GridRow {
  label: string
  loss: string
}
export interface GridColumn {
  size: number
  /** label of the row -> its runs here, seeds ascending */
  cells: Map<string, RunSummary[]>
  /** the most runs any cell of this column holds */
  width: number
  /** places of all columns before this one: where the arrow keys are */
  start: number
}
export interface GridGroup {
  encoder: string
  dataset: string
  columns: GridColumn[]
}
export interface Grid {
  rows: GridRow[]
  groups: GridGroup[]
}

export function completeness(runs: readonly RunSummary[]): Grid {
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

function group(runs: RunSummary[]): GridGroup {
  const bySize = [...groupBy(runs, (run) => run.train_size)].toSorted(([a], [b]) => a - b)
  return { encoder: runs[0]!.encoder, dataset: runs[0]!.dataset, columns: bySize.map(([size, members]) => column(size, members)) }
}

function column(size: number, runs: RunSummary[]): GridColumn {
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

export type CellState = 'done' | 'running' | 'queued' | 'failed' | 'diverged' | 'cancelled'

/** What a cell shows first: a divergence outranks that the run went on to its end. */
export function cellState(run: Pick<RunSummary, 'status' | 'diverged_at'>): CellState {
  if (run.status === 'failed') return 'failed'
  if (run.diverged_at != null && (run.status === 'finished' || run.status === 'running')) return 'diverged'
  return run.status === 'finished' ? 'done' : run.status
}

/** A setting that differs between runs that share loss, size, encoder, dataset and seed, as `lr 0.001`. */
export function otherLevels(run: Pick<RunSummary, 'levels'>): [string, unknown][] {
  const shown = new Set(['loss', 'data.train_size', 'network.encoder', 'data.dataset', 'seed'])
  return Object.entries(run.levels ?? {}).filter(([path]) => !shown.has(path))
}
