import { memo } from 'react'

import type { RunSummary } from '../../api/types'
import type { Around, RunColumn } from './runColumns'
import classes from './Runs.module.css'

export interface RowActions {
  open: (run: RunSummary) => void
  select: (index: number, range: boolean) => void
  focus: (index: number) => void
}

interface Props extends Omit<Around, 'now'> {
  run: RunSummary
  index: number
  /** px from the top of the list */
  top: number
  columns: readonly RunColumn[]
  /** of the columns that stay when the others scroll */
  lefts: readonly number[]
  selected: boolean
  current: boolean
  pinned?: boolean
  now: number
  actions: RowActions
}

/** One run. Drawn again only when something of it changed: scrolling draws the rows that come in, and no others. */
export const RunRow = memo(function RunRow({ run, index, top, columns, lefts, selected, current, pinned = false, actions, ...around }: Props) {
  return (
    <div
      role="row"
      tabIndex={current ? 0 : -1}
      aria-rowindex={pinned ? undefined : index + 2}
      data-row={pinned ? undefined : index}
      data-selected={selected || undefined}
      data-pinned={pinned || undefined}
      className={classes.row}
      style={pinned ? undefined : { transform: `translateY(${top}px)` }}
      onClick={(event) => (event.target as HTMLElement).closest('a, input, label') ?? actions.open(run)}
      onFocus={() => pinned || actions.focus(index)}
    >
      <span role="cell" className={classes.pick}>
        <label className={classes.box}>
          <input
            type="checkbox"
            tabIndex={-1}
            checked={selected}
            aria-label={`Select run ${run.id}`}
            onChange={() => {}}
            onClick={(event) => actions.select(pinned ? -run.id : index, event.shiftKey)}
          />
        </label>
      </span>
      {columns.map((column, i) => (
        <span role="cell" key={column.id} className={cellClass(column, lefts[i] !== undefined)} style={{ left: lefts[i] }}>
          {column.cell(run, around)}
        </span>
      ))}
    </div>
  )
})

function cellClass(column: RunColumn, stuck: boolean): string | undefined {
  return [stuck && classes.stuck, column.right && 'right num', column.strong && classes.strong].filter(Boolean).join(' ') || undefined
}

/** A row whose page is on the way: bars where its cells will be. */
export const WaitingRow = memo(function WaitingRow({ index, top, columns, lefts }: { index: number; top: number; columns: readonly RunColumn[]; lefts: readonly number[] }) {
  return (
    <div role="row" className={classes.row} style={{ transform: `translateY(${top}px)` }} aria-rowindex={index + 2} aria-busy>
      <span role="cell" className={classes.pick} />
      {columns.map((column, i) => (
        <span role="cell" key={column.id} className={cellClass(column, lefts[i] !== undefined)} style={{ left: lefts[i] }}>
          <span className={classes.bar} />
        </span>
      ))}
    </div>
  )
})
