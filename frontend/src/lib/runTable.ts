/** The table of runs apart from its drawing: what it is sorted by, which columns it has, which pages it needs, what is selected. */

import type { Sort } from './results'

// --- sorted by several ---------------------------------------------------------------------------------------------

/** `loss,-rmse`: by loss, then from the largest RMSE. */
export function parseSorts(text: string | undefined): Sort[] {
  return split(text).map((part) => (part.startsWith('-') ? { key: part.slice(1), descending: true } : { key: part, descending: false }))
}

export function sortsText(sorts: readonly Sort[]): string | undefined {
  return join(sorts.map((sort) => (sort.descending ? '-' : '') + sort.key))
}

/** How many columns the server sorts by. */
const MOST_SORTS = 5

/** A click sorts by this alone, then the other way round; with `add` (Shift) it joins the others, turns round, and goes. One too many takes the last one's place. */
export function clicked(sorts: readonly Sort[], key: string, falling: boolean, add: boolean): Sort[] {
  const at = sorts.findIndex((sort) => sort.key === key)
  const before = sorts[at]
  if (!add) return [{ key, descending: before && sorts.length === 1 ? !before.descending : falling }]
  if (!before) return [...sorts.slice(0, MOST_SORTS - 1), { key, descending: falling }]
  if (before.descending === falling) return sorts.with(at, { key, descending: !falling })
  return sorts.toSpliced(at, 1)
}

const LOW = '₀₁₂₃₄₅₆₇₈₉'

/** ↑ smallest first, ↓ largest first; of several with its place: ↓₁ */
export function sortMark(sorts: readonly Sort[], key: string): string {
  const at = sorts.findIndex((sort) => sort.key === key)
  if (at < 0) return ''
  return (sorts[at]!.descending ? '↓' : '↑') + (sorts.length > 1 ? LOW[at + 1] : '')
}

// --- columns -------------------------------------------------------------------------------------------------------

/** Names as one word of the address; a comma in a name is written %2C. */
export function join(names: readonly string[]): string | undefined {
  return names.map((name) => name.replace(/[%,]/g, encodeURIComponent)).join(',') || undefined
}

export function split(text: string | undefined): string[] {
  const names = (text ?? '').split(',').filter((part) => part !== '')
  return [...new Set(names.map((name) => name.replace(/%25|%2C/g, decodeURIComponent)))]
}

/** A setting's own column of the table, for the paths under which configurations and scripts name it. */
const OWN: Record<string, readonly string[]> = {
  loss: ['loss', 'loss.name'],
  dataset: ['data.dataset', 'dataset'],
  split: ['data.split'],
  size: ['data.train_size', 'train_size'],
  encoder: ['network.encoder', 'encoder'],
  height: ['data.height', 'height'],
  width: ['data.width', 'width'],
  batch_size: ['budget.batch_size', 'batch_size'],
  seed: ['seed'],
}
const PATHS = new Map(Object.entries(OWN).flatMap(([column, paths]) => paths.map((path) => [path, column] as const)))

/** The column that shows a parameter: its own one, or `param.` and its path. */
export function columnOf(path: string): string {
  return PATHS.get(path) ?? `param.${path}`
}

/** Columns of the settings that differ; what makes a loss is in the loss's label. */
export function differingColumns(params: readonly string[]): string[] {
  return [...new Set(params.filter((path) => !path.startsWith('loss.') || path === 'loss.name').map(columnOf))]
}

/** Moves the item at `from` to the place `to`. */
export function moved<T>(items: readonly T[], from: number, to: number): T[] {
  const at = Math.max(0, Math.min(items.length - 1, to))
  return from < 0 ? [...items] : items.toSpliced(from, 1).toSpliced(at, 0, items[from]!)
}

export const NARROWEST = 44
export const WIDEST = 800

export function widthWithin(width: number): number {
  return Math.round(Math.max(NARROWEST, Math.min(WIDEST, width)))
}

// --- pages ---------------------------------------------------------------------------------------------------------

/** Numbers of the pages (from 1) that hold the rows `first` to `last`, and one on either side, so that they are there before they are seen. */
export function pagesFor(first: number, last: number, total: number, size: number): number[] {
  const end = Math.max(1, Math.ceil(total / size))
  const from = Math.max(1, Math.floor(first / size))
  const to = Math.min(end, Math.floor(last / size) + 2)
  return Array.from({ length: Math.max(1, to - from + 1) }, (_, i) => Math.min(from + i, end)).filter((page, i, all) => all.indexOf(page) === i)
}

// --- sparklines ----------------------------------------------------------------------------------------------------

export interface Spark {
  run_id: number
  x: readonly number[]
  y: readonly (number | null)[]
  best: number | null
  best_epoch: number | null
}

/**
 * One range for all rows: from the lowest value to the ninth decile, since first evaluations are often several times the last; what lies
 * above is drawn at the edge. Rounded outwards, so that it seldom moves while more rows arrive.
 */
export function sparkRange(lines: readonly Spark[]): [number, number] | null {
  const values = lines.flatMap((line) => line.y.filter((y): y is number => y !== null)).toSorted((a, b) => a - b)
  if (values.length === 0) return null
  const low = values[0]!
  const high = values[Math.floor(0.9 * (values.length - 1))]!
  const step = 10 ** Math.floor(Math.log10(Math.max(high - low, Math.abs(high) * 1e-3, 1e-12))) / 2
  const [from, to] = [Math.floor(low / step + 1e-9) * step, Math.ceil(high / step - 1e-9) * step]
  return to > from ? [from, to] : [from, from + step]
}

/** An SVG path; a gap where a value is not finite. */
export function sparkPath(line: Spark, [low, high]: readonly [number, number], width: number, height: number): string {
  let pen = 'M'
  return line.y
    .map((y, i) => {
      if (y === null) {
        pen = 'M'
        return ''
      }
      const share = Math.max(0, Math.min(1, (y - low) / (high - low)))
      const piece = `${pen}${(line.x[i]! * width).toFixed(1)} ${((1 - share) * height).toFixed(1)}`
      pen = 'L'
      return piece
    })
    .join('')
}

// --- against the base ----------------------------------------------------------------------------------------------

export interface Delta {
  value: number
  /** better, worse, or the same as it is written */
  verdict: 'better' | 'worse' | 'same'
}

/** How much a value is off the base's; `digits` is how many are written, of which zero is no difference. */
export function delta(value: number | null | undefined, base: number | null | undefined, lowerIsBetter: boolean, digits: number): Delta | null {
  if (value == null || base == null) return null
  const off = value - base
  if (Math.abs(off) < 0.5 * 10 ** -digits) return { value: 0, verdict: 'same' }
  return { value: off, verdict: off < 0 === lowerIsBetter ? 'better' : 'worse' }
}

// --- selection -----------------------------------------------------------------------------------------------------

export function toggled(selected: ReadonlySet<number>, id: number): Set<number> {
  const next = new Set(selected)
  if (!next.delete(id)) next.add(id)
  return next
}

/** Which of the loss a filter asks for by name, for a word on what there is of it: `loss = berhu and …` */
export function lossAsked(filter: string): string | null {
  return /(?:^|[\s(])loss\s*=\s*"?([\w-]+)"?/.exec(filter)?.[1] ?? null
}
