import { ActionIcon } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import type { KeyboardEvent } from 'react'

import type { QueueEntry } from '../../api/types'
import { Icon, type IconName } from '../../components/icons'
import { lossLabel, LossGlyph } from '../../components/LossGlyph'
import { useLosses } from '../../components/useLosses'
import { useNow } from '../../components/useNow'
import { useRunMove } from '../../components/useRunMove'
import { cellWords } from '../../lib/experiment'
import { count, duration, parseTime } from '../../lib/format'
import { waitWords, type Where } from '../../lib/queue'
import { startWords } from '../../lib/workers'
import classes from './Workers.module.css'

interface Drag {
  dragged: boolean
  over: boolean
  start: (id: number | null) => void
  enter: (id: number | null) => void
  drop: (onto: number) => void
}

interface Props {
  entry: QueueEntry
  busy: boolean
  can: (where: Where) => boolean
  onMove: (where: Where) => void
  drag: Drag
}

const MOVES: { where: Where; icon: IconName; words: string }[] = [
  { where: 'front', icon: 'front', words: 'to the front' },
  { where: 'up', icon: 'up', words: 'up' },
  { where: 'down', icon: 'down', words: 'down' },
]

/** A run that waits: its place, what it waits for, and where it can be moved. */
export function QueueRow({ entry, busy, can, onMove, drag }: Props) {
  const { run, place } = entry
  const losses = useLosses()
  const cancel = useRunMove(run.id, 'cancel')
  const label = lossLabel(run.loss, run.loss_label, losses.title)
  const movable = place !== null
  const keys = (event: KeyboardEvent) => {
    if (!event.altKey || !['ArrowUp', 'ArrowDown'].includes(event.key)) return
    event.preventDefault()
    if (movable && !busy) onMove(event.key === 'ArrowUp' ? 'up' : 'down')
  }
  return (
    <tr
      tabIndex={0}
      className={classes.waiting}
      data-dragged={drag.dragged || undefined}
      data-over={drag.over || undefined}
      draggable={movable}
      aria-keyshortcuts={movable ? 'Alt+ArrowUp Alt+ArrowDown' : undefined}
      onKeyDown={keys}
      onDragStart={(event) => {
        event.dataTransfer.effectAllowed = 'move'
        drag.start(run.id)
      }}
      onDragOver={(event) => {
        if (!movable) return
        event.preventDefault()
        drag.enter(run.id)
      }}
      onDrop={() => drag.drop(run.id)}
      onDragEnd={() => {
        drag.start(null)
        drag.enter(null)
      }}
    >
      <td className="num faint">
        <span className={classes.grip}>{movable && <Icon name="grip" size={14} />}</span>
        {place ?? '–'}
      </td>
      <td>
        <Link to="/runs/$runId" params={{ runId: String(run.id) }} className={classes.run} draggable={false}>
          <LossGlyph name={run.loss} />
          <b className="strong">{label}</b> <span className={classes.quiet}>{cellWords(run, losses)}</span>
        </Link>
      </td>
      <td>
        <Experiments entry={entry} />
      </td>
      <td className="right num">{run.priority}</td>
      <td className="right num">{startWords(entry.starts_in)}</td>
      <td className="right num" title={`${count(run.steps - run.step)} steps`}>
        {duration(entry.seconds)}
      </td>
      <td className="secondary">
        <Note entry={entry} />
      </td>
      <td className={`right ${classes.moves}`}>
        {movable &&
          MOVES.map(({ where, icon, words }) => (
            <ActionIcon key={where} variant="subtle" color="gray" size={24} aria-label={`Move ${label}, run ${run.id}, ${words}`} title={`Move ${words}`} disabled={busy || !can(where)} onClick={() => onMove(where)}>
              <Icon name={icon} size={14} />
            </ActionIcon>
          ))}
        <ActionIcon variant="subtle" color="gray" size={24} aria-label={`Cancel ${label}, run ${run.id}`} title="Cancel" loading={cancel.isPending} onClick={() => cancel.mutate()}>
          <Icon name="close" size={14} />
        </ActionIcon>
      </td>
    </tr>
  )
}

function Experiments({ entry }: { entry: QueueEntry }) {
  const [first, ...others] = entry.experiments
  if (!first) return null
  return (
    <>
      <Link to="/experiments/$experimentId/$tab" params={{ experimentId: String(first.id), tab: 'overview' }} draggable={false}>
        {first.name}
      </Link>
      {others.length > 0 && <span className="secondary" title={others.map((other) => other.name).join(', ')}>{` +${others.length}`}</span>}
    </>
  )
}

function Note({ entry }: { entry: QueueEntry }) {
  const now = useNow(entry.waits === 'backoff')
  return waitWords(entry, entry.until === null ? null : (parseTime(entry.until) - now) / 1000)
}
