import type { KeyboardEvent, MouseEvent, PointerEvent } from 'react'

import { clicked, sortMark, widthWithin } from '../../lib/runTable'
import type { Sort } from '../../lib/results'
import type { RunColumn } from './runColumns'
import classes from './Runs.module.css'

const STEP = 16

interface Props {
  column: RunColumn
  width: number
  sorts: readonly Sort[]
  onSort: (sorts: Sort[]) => void
  onWidth: (width: number) => void
  /** where it stays when the others scroll */
  left?: number
}

/** A column's head: a click sorts, Shift adds; its edge is dragged for the width, Alt and an arrow do the same. */
export function RunHead({ column, width, sorts, onSort, onWidth, left }: Props) {
  const sort = sorts.find(({ key }) => key === column.id)
  const press = (event: MouseEvent) => onSort(clicked(sorts, column.id, column.falling ?? false, event.shiftKey))
  const keys = (event: KeyboardEvent) => {
    const step = event.altKey ? { ArrowLeft: -STEP, ArrowRight: STEP }[event.key] : undefined
    if (step === undefined) return
    event.preventDefault()
    onWidth(widthWithin(width + step))
  }
  const title = `${column.title}. Drag the edge or press Alt and an arrow for its width${column.fixedOrder ? '' : '; Shift-click sorts within what is sorted already'}`
  return (
    <th scope="col" className={[column.right && 'right', left !== undefined && classes.stuck].filter(Boolean).join(' ')} style={{ left }} aria-sort={sort ? (sort.descending ? 'descending' : 'ascending') : undefined}>
      {column.fixedOrder ? (
        <span className={classes.head} tabIndex={0} role="group" aria-label={column.title} onKeyDown={keys} title={title}>
          <span className="ellipsis">{column.title}</span>
        </span>
      ) : (
        <button type="button" className={classes.head} data-active={sort !== undefined || undefined} onClick={press} onKeyDown={keys} title={title}>
          <span className="ellipsis">{column.title}</span>
          <span aria-hidden>{sortMark(sorts, column.id)}</span>
        </button>
      )}
      <Edge width={width} onWidth={onWidth} />
    </th>
  )
}

function Edge({ width, onWidth }: { width: number; onWidth: (width: number) => void }) {
  const drag = (event: PointerEvent<HTMLSpanElement>) => {
    event.preventDefault()
    const edge = event.currentTarget
    const from = event.clientX
    edge.setPointerCapture(event.pointerId)
    const move = (at: globalThis.PointerEvent) => onWidth(widthWithin(width + at.clientX - from))
    const stop = () => {
      edge.removeEventListener('pointermove', move)
      edge.removeEventListener('pointerup', stop)
      edge.removeEventListener('pointercancel', stop)
    }
    edge.addEventListener('pointermove', move)
    edge.addEventListener('pointerup', stop)
    edge.addEventListener('pointercancel', stop)
  }
  return <span className={classes.edge} aria-hidden onPointerDown={drag} />
}
