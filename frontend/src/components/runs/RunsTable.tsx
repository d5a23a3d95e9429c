import { useWindowEvent } from '@mantine/hooks'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useLayoutEffect, useMemo, useRef, useState, type CSSProperties } from 'react'

import type { RunSummary } from '../../api/types'
import type { Sort } from '../../lib/results'
import { isForPage, useKeys } from '../useKeys'
import { useNow } from '../useNow'
import type { MainMetric, RunColumn } from './runColumns'
import { RunHead } from './RunHead'
import { RunRow, WaitingRow, type RowActions } from './RunRow'
import classes from './Runs.module.css'
import type { RunRows } from './useRunPages'
import { useSparklines } from './useSparklines'
import { useWidths } from './useWidths'

const ROW = 31
const PICK = 36
/** rows drawn beyond what is in sight: a scroll by the wheel finds them there */
const BEYOND = 24

interface Props {
  rows: RunRows
  columns: readonly RunColumn[]
  /** null: runs of all experiments */
  experimentId: number | null
  main: MainMetric
  averaging?: string
  base?: RunSummary
  sorts: readonly Sort[]
  onSort: (sorts: Sort[]) => void
  selected: ReadonlySet<number>
  onSelect: (index: number, range: boolean) => void
}

/** All runs in one list, of which only those in sight are in the page. Rows are laid out each by itself: a table of the browser's is laid out whole at every row that comes. */
export function RunsTable({ rows, columns, experimentId, main, averaging, base, sorts, onSort, selected, onSelect }: Props) {
  const scroll = useRef<HTMLDivElement>(null)
  useKeys('runs')
  const { width, setWidth } = useWidths()
  // The base stands above the list, and not in it a second time.
  const above = base ? rows.indexOf(base.id) : -1
  const virtual = useVirtualizer({ count: rows.total, getScrollElement: () => scroll.current, estimateSize: (index) => (index === above ? 0 : ROW), overscan: BEYOND })
  useLayoutEffect(() => virtual.measure(), [virtual, above])
  const items = virtual.getVirtualItems()
  const [from, to] = [items[0]?.index ?? 0, items.at(-1)?.index ?? 0]
  const { show } = rows
  useEffect(() => show(from, to), [show, from, to])
  const lined = columns.some((column) => column.id === 'spark' || column.id === 'best_epoch')
  const { lines, range } = useSparklines(rows, from, to, main.key, averaging, lined)
  const { current, actions } = useRowKeys(rows, above, experimentId, (index) => virtual.scrollToIndex(index), onSelect, scroll)
  const now = Math.floor(useNow(columns.some((column) => column.id.endsWith('_at'))) / 60_000) * 60_000
  const all = columns.reduce((sum, column) => sum + width(column), PICK)
  const lefts = useMemo(() => stuck(columns, width), [columns, width])
  const around = { experimentId, main, range, base, now, columns, lefts, actions }
  const cells = `${PICK}px ${columns.map((column) => `${width(column)}px`).join(' ')} 1fr`
  return (
    <div
      ref={scroll}
      className={classes.scroll}
      tabIndex={-1}
      role="region"
      aria-label="Runs"
      style={{ height: `min(calc(100vh - var(--runs-above, 258px)), ${(rows.total + (base && above < 0 ? 1 : 0)) * ROW + 46}px)`, '--row': `${ROW}px` } as CSSProperties}
    >
      <div className={classes.table} role="table" aria-label="Runs" style={{ minWidth: all, '--cells': cells } as CSSProperties} aria-rowcount={rows.total + 1}>
        <div role="rowgroup" className={classes.headGroup}>
          <div role="row" className={classes.headRow} aria-rowindex={1}>
            <span role="columnheader" className={classes.pick}>
              <span className="hidden-text">Selected</span>
            </span>
            {columns.map((column, i) => (
              <RunHead key={column.id} left={lefts[i]} column={column} width={width(column)} sorts={sorts} onSort={onSort} onWidth={(next) => setWidth(column.id, next)} />
            ))}
          </div>
          {base && <RunRow {...around} run={base} index={-1} top={0} pinned selected={selected.has(base.id)} current={false} spark={lines.get(base.id)} />}
        </div>
        <div role="rowgroup" className={classes.body} style={{ height: virtual.getTotalSize() }}>
          {items.map(({ index, start }) => {
            if (index === above) return null
            const run = rows.row(index)
            if (!run) return <WaitingRow key={index} index={index} top={start} columns={columns} lefts={lefts} />
            return <RunRow key={index} {...around} run={run} index={index} top={start} selected={selected.has(run.id)} current={index === current} spark={lines.get(run.id)} />
          })}
        </div>
      </div>
    </div>
  )
}

/** How far from the left the columns stay that tell rows apart: up to the name or the loss. */
function stuck(columns: readonly RunColumn[], width: (column: RunColumn) => number): readonly number[] {
  const last = columns.findIndex((column) => column.id === 'name' || column.id === 'loss')
  let left = PICK
  return columns.slice(0, last + 1).map((column) => {
    left += width(column)
    return left - width(column)
  })
}

/** j, k and the arrows walk, Enter opens, x selects (with Shift up to here); never while someone types. */
function useRowKeys(rows: RunRows, above: number, experimentId: number | null, reveal: (index: number) => void, onSelect: Props['onSelect'], scroll: { current: HTMLDivElement | null }) {
  const navigate = useNavigate()
  const [current, setCurrent] = useState(0)
  const latest = useRef({ rows, onSelect, current })
  latest.current = { rows, onSelect, current }
  const actions = useMemo<RowActions>(
    () => ({
      open: (run) => void navigate({ to: '/runs/$runId', params: { runId: String(run.id) }, search: { from: experimentId ?? undefined } }),
      select: (index, range) => latest.current.onSelect(index, range),
      focus: setCurrent,
    }),
    [navigate, experimentId],
  )
  const go = (index: number) => {
    // The base's place in the list is empty.
    const beyond = index === above ? index + (index < current ? -1 : 1) : index
    const next = Math.max(0, Math.min(rows.total - 1, beyond))
    setCurrent(next)
    reveal(next)
    requestAnimationFrame(() => scroll.current?.querySelector<HTMLElement>(`[data-row="${next}"]`)?.focus({ preventScroll: true }))
  }
  useWindowEvent('keydown', (event) => {
    const target = event.target as HTMLElement
    if (event.ctrlKey || event.metaKey || event.altKey || rows.total === 0 || !isForPage(event)) return
    const inside = scroll.current?.contains(target) ?? false
    const row = target.closest('[data-row]') !== null
    const step = { j: 1, k: -1, ...(inside ? { ArrowDown: 1, ArrowUp: -1, PageDown: 20, PageUp: -20 } : {}) }[event.key]
    if (step !== undefined) {
      event.preventDefault()
      go(row || step > 1 || step < -1 ? current + step : current)
    } else if (event.key.toLowerCase() === 'x') actions.select(current, event.shiftKey)
    else if (event.key === 'Enter' && row && target.matches('[data-row]') && rows.row(current)) actions.open(rows.row(current)!)
  })
  return { current: Math.min(current, Math.max(0, rows.total - 1)), actions }
}
