import { createSortedRowModel, rowSortingFeature, sortFns, tableFeatures, useTable, type SortingState } from '@tanstack/react-table'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useNavigate } from '@tanstack/react-router'
import { useMemo, useRef, type KeyboardEvent } from 'react'

import type { RunSummary } from '../../api/types'
import { useLosses } from '../../components/useLosses'
import { parseSort, sortText } from '../../lib/results'
import { SortHead } from './ResultsTable'
import classes from './Runs.module.css'
import { runColumns, type RunColumn } from './runColumns'
import { useExperimentSearch } from './useExperimentSearch'

const ROW = 31

const features = tableFeatures({ rowSortingFeature, sortedRowModel: createSortedRowModel(), sortFns })

/** Thousands of rows: only those in sight are in the page. */
export function RunsTable({ runs, experimentId }: { runs: RunSummary[]; experimentId: number }) {
  const [search, change] = useExperimentSearch()
  const losses = useLosses()
  const columns = useMemo(() => runColumns(runs, losses), [runs, losses])
  const sort = parseSort(search.sort, { key: 'id', descending: false })
  const sorting: SortingState = useMemo(() => [{ id: sort.key, desc: sort.descending }], [sort.key, sort.descending])
  const table = useTable({
    features,
    data: runs,
    columns: useMemo(() => columns.map((column) => ({ id: column.id, accessorFn: column.value, sortUndefined: 'last' as const })), [columns]),
    getRowId: (run) => String(run.id),
    state: { sorting },
    onSortingChange: () => undefined,
  })
  const rows = table.getRowModel().rows
  return (
    <Body
      rows={rows.map((row) => row.original)}
      columns={columns}
      experimentId={experimentId}
      head={columns.map((column) => (
        <SortHead key={column.id} name={column.id} sort={sort} right={column.right} falling={column.falling} onSort={(next) => change({ sort: sortText(next) }, true)}>
          {column.title}
        </SortHead>
      ))}
    />
  )
}

interface BodyProps {
  rows: RunSummary[]
  columns: RunColumn[]
  experimentId: number
  head: React.ReactNode
}

function Body({ rows, columns, experimentId, head }: BodyProps) {
  const scroll = useRef<HTMLDivElement>(null)
  const navigate = useNavigate()
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroll.current, estimateSize: () => ROW, overscan: 12 })
  const items = virtual.getVirtualItems()
  const before = items[0]?.start ?? 0
  const after = virtual.getTotalSize() - (items.at(-1)?.end ?? 0)
  const open = (run: RunSummary) => void navigate({ to: '/runs/$runId', params: { runId: String(run.id) }, search: { from: experimentId } })
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
