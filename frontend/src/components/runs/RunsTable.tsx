import { useWindowEvent } from '@mantine/hooks'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useLayoutEffect, useMemo, useRef, useState, type CSSProperties } from 'react'

import type { RunSummary } from '../../api/types'
import type { Sort } from '../../lib/results'
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

/** All runs in one list, of which only those in sight are in the page. */
export function RunsTable({ rows, columns, experimentId, main, averaging, base, sorts, onSort, selected, onSelect }: Props) {
  const scroll = useRef<HTMLDivElement>(null)
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
  const { current, actions } = useRowKeys(rows, experimentId, (index) => virtual.scrollToIndex(index), onSelect, scroll)
  const now = Math.floor(useNow(columns.some((column) => column.id.endsWith('_at'))) / 60_000) * 60_000
  const all = columns.reduce((sum, column) => sum + width(column), PICK)
  const lefts = useMemo(() => stuck(columns, width), [columns, width])
  const around = { experimentId, main, range, base, now, columns, lefts, actions }
  const after = virtual.getTotalSize() - (items.at(-1)?.end ?? 0)
  return (
    <div
      ref={scroll}
      className={classes.scroll}
      tabIndex={-1}
      role="region"
      aria-label="Runs"
      style={{ height: `min(calc(100vh - var(--runs-above, 258px)), ${(rows.total + (base && above < 0 ? 1 : 0)) * ROW + 46}px)`, '--row': `${ROW}px` } as CSSProperties}
    >
      <table className={classes.table} style={{ minWidth: all }} aria-rowcount={rows.total + 1}>
        <colgroup>
          <col style={{ width: PICK }} />
          {columns.map((column) => (
            <col key={column.id} style={{ width: width(column) }} />
          ))}
          <col />
        </colgroup>
        <thead>
          <tr>
            <th className={classes.pick}>
              <span className="hidden-text">Selected</span>
            </th>
            {columns.map((column, i) => (
              <RunHead key={column.id} left={lefts[i]} column={column} width={width(column)} sorts={sorts} onSort={onSort} onWidth={(next) => setWidth(column.id, next)} />
            ))}
            <th aria-hidden />
          </tr>
        </thead>
        {base && (
          <tbody className={classes.pinnedBody}>
            <RunRow {...around} run={base} index={-1} pinned selected={selected.has(base.id)} current={false} spark={lines.get(base.id)} />
          </tbody>
        )}
        <tbody>
          <Spacer height={items[0]?.start ?? 0} columns={columns.length + 2} />
          {items.map(({ index }) => {
            if (index === above) return null
            const run = rows.row(index)
            if (!run) return <WaitingRow key={index} index={index} columns={columns} lefts={lefts} />
            return <RunRow key={index} {...around} run={run} index={index} selected={selected.has(run.id)} current={index === current} spark={lines.get(run.id)} />
          })}
          <Spacer height={after} columns={columns.length + 2} />
        </tbody>
      </table>
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

/** Stands for the rows that are out of sight; ruled as they are, should a scroll be quicker than the drawing. */
function Spacer({ height, columns }: { height: number; columns: number }) {
  if (height <= 0) return null
  return (
    <tr aria-hidden>
      <td colSpan={columns} className={classes.spacer} style={{ height }} />
    </tr>
  )
}

/** j, k and the arrows walk, Enter opens, x selects (with Shift up to here); never while someone types. */
function useRowKeys(rows: RunRows, experimentId: number | null, reveal: (index: number) => void, onSelect: Props['onSelect'], scroll: { current: HTMLDivElement | null }) {
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
    const next = Math.max(0, Math.min(rows.total - 1, index))
    setCurrent(next)
    reveal(next)
    requestAnimationFrame(() => scroll.current?.querySelector<HTMLElement>(`[data-row="${next}"]`)?.focus({ preventScroll: true }))
  }
  useWindowEvent('keydown', (event) => {
    const target = event.target as HTMLElement
    if (event.ctrlKey || event.metaKey || event.altKey || rows.total === 0) return
    if (target.closest('textarea, select, [contenteditable], [role=dialog], input:not([type=checkbox])')) return
    const inside = scroll.current?.contains(target) ?? false
    const row = target.closest('[data-row]') !== null
    const step = { j: 1, k: -1, ...(inside ? { ArrowDown: 1, ArrowUp: -1, PageDown: 20, PageUp: -20 } : {}) }[event.key]
    if (step !== undefined) {
      event.preventDefault()
      go(row || step > 1 || step < -1 ? current + step : current)
    } else if (event.key.toLowerCase() === 'x') actions.select(current, event.shiftKey)
    else if (event.key === 'Enter' && row && target.tagName === 'TR' && rows.row(current)) actions.open(rows.row(current)!)
  })
  return { current: Math.min(current, Math.max(0, rows.total - 1)), actions }
}
