/** The grid of depth maps: a row an image, a column a run. */

import type { FrameEntry, PredictionEntry, Qualitative, RunSummary } from '../api/types'
import { compareLosses } from './losses'

export interface TileRow {
  frame: FrameEntry
  /** one a column, null where the run has not predicted this image at this step */
  predictions: (PredictionEntry | null)[]
}

export interface TileGrid {
  runs: RunSummary[]
  rows: TileRow[]
}

export type RowOrder = 'position' | 'worst' | 'best' | 'difference'

export function tileGrid(data: Pick<Qualitative, 'frames' | 'runs' | 'predictions'>, order: RowOrder, metric: string): TileGrid {
  const runs = data.runs.toSorted((a, b) => compareLosses(a.loss, b.loss) || a.loss_label.localeCompare(b.loss_label) || a.id - b.id)
  const byPlace = new Map(data.predictions.map((p) => [`${p.run_id} ${p.frame_id}`, p]))
  const rows = data.frames.map((frame) => ({ frame, predictions: runs.map((run) => byPlace.get(`${run.id} ${frame.id}`) ?? null) }))
  return { runs, rows: sortRows(rows, order, metric) }
}

function sortRows(rows: TileRow[], order: RowOrder, metric: string): TileRow[] {
  if (order === 'position') return rows.toSorted((a, b) => a.frame.position - b.frame.position)
  const score = (row: TileRow) => {
    const values = row.predictions.flatMap((p) => p?.metrics[metric] ?? [])
    if (values.length === 0) return null
    return order === 'difference' ? Math.max(...values) - Math.min(...values) : values.reduce((sum, v) => sum + v, 0) / values.length
  }
  const sign = order === 'best' ? 1 : -1
  return rows.toSorted((a, b) => {
    const [x, y] = [score(a), score(b)]
    return x === null || y === null ? Number(x === null) - Number(y === null) : sign * (x - y)
  })
}

const ERROR_LIMITS = [0.1, 0.2, 0.5, 1, 2, 3, 5]
const RELATIVE_LIMITS = [0.05, 0.1, 0.25, 0.5, 1]

/** The end of the error's colours for all tiles: a round number a little above the usual error, so that neither noise nor one bad tile sets it. */
export function errorLimit(predictions: readonly PredictionEntry[], relative = false): number {
  const values = predictions.flatMap((p) => p.metrics[relative ? 'abs_rel' : 'rmse'] ?? []).toSorted((a, b) => a - b)
  const usual = values[Math.floor(values.length / 2)]
  const limits = relative ? RELATIVE_LIMITS : ERROR_LIMITS
  if (usual === undefined) return relative ? 0.25 : 1
  return limits.find((limit) => limit >= 1.5 * usual) ?? limits.at(-1)!
}

/** `test/00033` → `test`, `00033`: the folder and the file stand on two lines. */
export function frameName(frame: string): [string, string] {
  const at = frame.lastIndexOf('/')
  return at < 0 ? ['', frame] : [frame.slice(0, at), frame.slice(at + 1)]
}
