import { Button, Checkbox, Popover, TextInput } from '@mantine/core'
import { useState, type KeyboardEvent } from 'react'

import { moved } from '../../lib/runTable'
import { Icon } from '../icons'
import type { RunColumn } from './runColumns'
import classes from './Runs.module.css'

interface Props {
  /** those shown, in order */
  chosen: readonly RunColumn[]
  offered: readonly RunColumn[]
  /** how many are in the table now */
  shown: number
  /** undefined: as they were before anyone chose */
  onChange: (ids: readonly string[] | undefined) => void
}

const GROUPS = ['Settings', 'Results', 'Run'] as const
const MOST = 60

/** Which columns there are, in which order: tick, drag, or Alt and an arrow. */
export function ColumnChooser({ chosen, offered, shown, onChange }: Props) {
  return (
    <Popover position="bottom-end" width={340} trapFocus shadow="md">
      <Popover.Target>
        <Button variant="default" leftSection={<Icon name="columns" size={14} />}>
          Columns, {shown} of {offered.length}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <Chooser chosen={chosen} offered={offered} onChange={onChange} />
      </Popover.Dropdown>
    </Popover>
  )
}

function Chooser({ chosen, offered, onChange }: Omit<Props, 'shown'>) {
  const [text, setText] = useState('')
  const ids = chosen.map((column) => column.id)
  const matches = (column: RunColumn) => `${column.title} ${column.id}`.toLowerCase().includes(text.trim().toLowerCase())
  const rest = offered.filter((column) => !ids.includes(column.id) && matches(column))
  return (
    <div className={classes.chooser}>
      <TextInput data-autofocus aria-label="Find a column" placeholder="Find a column" value={text} onChange={(event) => setText(event.currentTarget.value)} leftSection={<Icon name="search" size={14} />} />
      <p className={classes.group}>Shown, in this order</p>
      <Order chosen={chosen.filter(matches)} sortable={text.trim() === ''} onChange={onChange} onDrop={(id) => onChange(ids.filter((other) => other !== id))} />
      <div className={classes.offered}>
        {GROUPS.map((group) => {
          const members = rest.filter((column) => column.group === group)
          return members.length === 0 ? null : (
            <div key={group}>
              <p className={classes.group}>{group}</p>
              {members.slice(0, MOST).map((column) => (
                <Checkbox key={column.id} size="xs" py={4} checked={false} label={label(column)} onChange={() => onChange([...ids, column.id])} />
              ))}
              {members.length > MOST && <p className="secondary">{members.length - MOST} more: type to find them</p>}
            </div>
          )
        })}
        {rest.length === 0 && chosen.filter(matches).length === 0 && <p className="secondary">No column is called so.</p>}
      </div>
      <p className={classes.group}>
        <button type="button" className="link" onClick={() => onChange(undefined)}>
          As at the beginning
        </button>
      </p>
    </div>
  )
}

function label(column: RunColumn): string {
  const path = column.id.replace(/^(param|metric)\./, '')
  return path === column.id || path.toLowerCase() === column.title.toLowerCase() ? column.title : `${column.title} · ${path}`
}

interface OrderProps {
  chosen: readonly RunColumn[]
  sortable: boolean
  onChange: (ids: readonly string[]) => void
  onDrop: (id: string) => void
}

function Order({ chosen, sortable, onChange, onDrop }: OrderProps) {
  const [dragged, setDragged] = useState<number | null>(null)
  const [over, setOver] = useState<number | null>(null)
  const ids = chosen.map((column) => column.id)
  const keys = (event: KeyboardEvent, at: number) => {
    const step = event.altKey ? { ArrowUp: -1, ArrowDown: 1 }[event.key] : undefined
    if (step === undefined || !sortable) return
    event.preventDefault()
    onChange(moved(ids, at, at + step))
  }
  return (
    <ul className={classes.chosen} aria-label="Columns shown">
      {chosen.map((column, i) => (
        <li
          key={column.id}
          draggable={sortable}
          data-over={over === i || undefined}
          onKeyDown={(event) => keys(event, i)}
          onDragStart={() => setDragged(i)}
          onDragOver={(event) => {
            event.preventDefault()
            setOver(i)
          }}
          onDragEnd={() => (setDragged(null), setOver(null))}
          onDrop={() => dragged !== null && onChange(moved(ids, dragged, i))}
        >
          <button type="button" className={classes.grip} aria-label={`${column.title}, place ${i + 1}: Alt and an arrow move it`} disabled={!sortable}>
            <Icon name="grip" size={14} />
          </button>
          <Checkbox size="xs" checked label={label(column)} onChange={() => onDrop(column.id)} />
        </li>
      ))}
    </ul>
  )
}
