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
export const RunRow = memo(function RunRow({ run, index, columns, lefts, selected, current, pinned = false, actions, ...around }: Props) {
  return (
    <tr
      tabIndex={current ? 0 : -1}
      aria-rowindex={pinned ? undefined : index + 2}
      data-row={pinned ? undefined : index}
      data-selected={selected || undefined}
      data-pinned={pinned || undefined}
      className={classes.row}
      onClick={(event) => (event.target as HTMLElement).closest('a, input, label') ?? actions.open(run)}
      onFocus={() => pinned || actions.focus(index)}
    >
      <td className={classes.pick}>
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
      </td>
      {columns.map((column, i) => (
        <td key={column.id} className={cellClass(column, lefts[i] !== undefined)} style={{ left: lefts[i] }}>
          {column.cell(run, around)}
        </td>
      ))}
      <td />
    </tr>
  )
})

function cellClass(column: RunColumn, stuck: boolean): string | undefined {
  return [stuck && classes.stuck, column.right && 'right num', column.strong && classes.strong].filter(Boolean).join(' ') || undefined
}

/** A row whose page is on the way: bars where its cells will be. */
export const WaitingRow = memo(function WaitingRow({ index, columns, lefts }: { index: number; columns: readonly RunColumn[]; lefts: readonly number[] }) {
  return (
    <tr className={classes.row} aria-rowindex={index + 2} aria-busy>
      <td className={classes.pick} />
      {columns.map((column, i) => (
        <td key={column.id} className={cellClass(column, lefts[i] !== undefined)} style={{ left: lefts[i] }}>
          <span className={classes.bar} />
        </td>
      ))}
      <td />
    </tr>
  )
})
