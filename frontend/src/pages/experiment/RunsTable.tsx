import { useVirtualizer } from '@tanstack/react-virtual'
import { useNavigate } from '@tanstack/react-router'
import { useMemo, useRef, type KeyboardEvent } from 'react'

import type { RunSummary } from '../../api/types'
import { useLosses } from '../../components/useLosses'
import { parseSort, sortText } from '../../lib/results'
import { SortHead } from './ResultsTable'
import classes from './Runs.module.css'
import { runColumns, type RunColumn } from './runColumns'

const ROW = 31

interface Props {
  /** a page of runs, in the order in which the server gave them */
  runs: RunSummary[]
  /** null: runs of all experiments */
  experimentId: number | null
  sort?: string
  onSort: (sort: string) => void
  factors: readonly string[]
}

/** Hundreds of rows: only those in sight are in the page. */
export function RunsTable({ runs, experimentId, sort: sorted, onSort, factors }: Props) {
  const losses = useLosses()
  const columns = useMemo(() => runColumns(runs, losses, factors), [runs, losses, factors])
  const sort = parseSort(sorted, { key: experimentId === null ? 'id' : '', descending: experimentId === null })
  return (
    <Body
      rows={runs}
      columns={columns}
      experimentId={experimentId}
      head={columns.map((column) => (
        <SortHead key={column.id} name={column.id} sort={sort} right={column.right} falling={column.falling} onSort={(next) => onSort(sortText(next))}>
          {column.title}
        </SortHead>
      ))}
    />
  )
}

interface BodyProps {
  rows: RunSummary[]
  columns: RunColumn[]
  experimentId: number | null
  head: React.ReactNode
}

function Body({ rows, columns, experimentId, head }: BodyProps) {
  const scroll = useRef<HTMLDivElement>(null)
  const navigate = useNavigate()
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroll.current, estimateSize: () => ROW, overscan: 12 })
  const items = virtual.getVirtualItems()
  const before = items[0]?.start ?? 0
  const after = virtual.getTotalSize() - (items.at(-1)?.end ?? 0)
  const open = (run: RunSummary) => void navigate({ to: '/runs/$runId', params: { runId: String(run.id) }, search: { from: experimentId ?? undefined } })
  return (
    <div ref={scroll} className={classes.scroll} tabIndex={0} role="region" aria-label="Runs" style={{ height: `min(calc(100vh - 250px), ${rows.length * ROW + 40}px)` }}>
      <table className={`table ${classes.table}`} aria-rowcount={rows.length + 1}>
        <thead>
          <tr>{head}</tr>
        </thead>
        <tbody>
          <Spacer height={before} />
          {items.map((item) => {
            const run = rows[item.index]!
            return (
              <tr
                key={run.id}
                tabIndex={0}
                aria-rowindex={item.index + 2}
                className={classes.row}
                onClick={(event) => (event.target as HTMLElement).closest('a') ?? open(run)}
                onKeyDown={(event) => rowKeys(event, () => open(run))}
              >
                {columns.map((column) => (
                  <td key={column.id} className={column.right ? 'right num' : undefined}>
                    {column.cell(run)}
                  </td>
                ))}
              </tr>
            )
          })}
          <Spacer height={after} />
        </tbody>
      </table>
    </div>
  )
}

/** Stands for the rows that are out of sight. */
function Spacer({ height }: { height: number }) {
  if (height <= 0) return null
  return (
    <tr aria-hidden>
      <td style={{ height, padding: 0, border: 0 }} />
    </tr>
  )
}

/** Enter opens; j, k and the arrows walk. */
function rowKeys(event: KeyboardEvent<HTMLTableRowElement>, open: () => void) {
  if (event.key === 'Enter') return open()
  const down = event.key === 'j' || event.key === 'ArrowDown'
  const up = event.key === 'k' || event.key === 'ArrowUp'
  if (!down && !up) return
  event.preventDefault()
  const next = down ? event.currentTarget.nextElementSibling : event.currentTarget.previousElementSibling
  if (next instanceof HTMLElement) next.focus()
}
