/** What a dry run found, as the grid that will be launched: losses down, encoder and size across. */

import type { DryRun } from '../api/types'
import { settingValue } from './format'
import { compareLosses, lossOfLabel } from './losses'

type Cell = DryRun['cells'][number]

export interface DryColumn {
  encoder: string | null
  /** size and whatever else varies, as words */
  words: string
}

export interface DryGrid {
  rows: string[]
  columns: DryColumn[]
  /** by row and column */
  counts: { fresh: number; known: number }[][]
}

const LOSS = 'loss'
const SEED = 'seed'
const ENCODER = 'network.encoder'
const SIZE = 'data.train_size'

export function dryGrid(cells: readonly Cell[]): DryGrid {
  const rows = [...new Set(cells.map(rowOf))].toSorted((a, b) => compareLosses(lossOfLabel(a), lossOfLabel(b)) || a.localeCompare(b, 'en', { numeric: true }))
  const columns = [...new Map(cells.map((cell) => [columnKey(cell), cell])).values()].toSorted(compareColumns)
  const keys = columns.map(columnKey)
  const counts = rows.map(() => columns.map(() => ({ fresh: 0, known: 0 })))
  for (const cell of cells) {
    const count = counts[rows.indexOf(rowOf(cell))]![keys.indexOf(columnKey(cell))]!
    if (cell.exists) count.known++
    else count.fresh++
  }
  return { rows, columns: columns.map(columnOf), counts }
}

function rowOf(cell: Cell): string {
  return String(cell.levels[LOSS] ?? 'all')
}

function columnKey(cell: Cell): string {
  return JSON.stringify(Object.entries(cell.levels).filter(([path]) => path !== LOSS && path !== SEED).toSorted())
}

function columnOf(cell: Cell): DryColumn {
  const encoder = cell.levels[ENCODER]
  const words = Object.entries(cell.levels)
    .filter(([path]) => ![LOSS, SEED, ENCODER].includes(path))
    .map(([path, level]) => (path === SIZE ? sizeWords(level) : `${path.split('.').at(-1)} ${settingValue(level)}`))
  return { encoder: encoder === undefined ? null : String(encoder), words: words.join(', ') }
}

function sizeWords(level: unknown): string {
  return level === null ? 'all' : settingValue(level)
}

function compareColumns(a: Cell, b: Cell): number {
  const [x, y] = [String(a.levels[ENCODER] ?? ''), String(b.levels[ENCODER] ?? '')]
  return x.localeCompare(y) || Number(a.levels[SIZE] ?? Infinity) - Number(b.levels[SIZE] ?? Infinity) || columnKey(a).localeCompare(columnKey(b))
}

/** Whether the API's `field` means the setting at `path`: `factors.size`, `data.train_size` and `data` all mean the size. */
export function concerns(field: string | null, path: string, canonical: (path: string) => string): boolean {
  if (!field) return false
  const at = canonical(field.replace(/^(?:body\.)?(?:also\.\d+\.)?(?:factors|base)\./, ''))
  return at === path || at.startsWith(`${path}.`)
}
