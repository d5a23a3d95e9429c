import { Skeleton, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'

import { queueQuery } from '../../api/queries'
import type { QueueEntry } from '../../api/types'
import { ErrorPanel } from '../../components/ErrorPanel'
import { Icon } from '../../components/icons'
import { lossLabel } from '../../components/LossGlyph'
import { useLosses } from '../../components/useLosses'
import { cellWords } from '../../lib/experiment'
import { beforeAt, beforeBy, type Where } from '../../lib/queue'
import { count } from '../../lib/format'
import { parseFilter } from '../../lib/filter'
import { QueueRow } from './QueueRow'
import { useQueueMove } from './useQueueMove'
import classes from './Workers.module.css'

const SHOWN = 200
/** One more than is shown, so that the last one shown can still go before something. */
export const QUEUE_READ = SHOWN + 1

/** What waits, in the order in which workers get it: dragged, or moved with Alt and the arrow keys. */
export function QueueTable() {
  const query = useQuery(queueQuery(QUEUE_READ))
  const [text, setText] = useState('')
  const filter = parseFilter(text, [])
  const entries = query.data?.items ?? []
  const matching = entries.filter((entry) => (filter.match ?? (() => true))(entry.run)).slice(0, SHOWN)
  const more = (query.data?.total ?? 0) - entries.length + (text ? 0 : Math.max(0, entries.length - SHOWN))
  return (
    <section aria-label="Waiting">
      <div className="spread">
        <h2 className="section">
          Waiting <span className={`${classes.quiet} num`}>{query.data && count(query.data.total)}</span>
        </h2>
        <TextInput aria-label="Filter the queue" placeholder="Filter the queue" w={240} leftSection={<Icon name="search" size={14} />} value={text} onChange={(event) => setText(event.currentTarget.value)} />
      </div>
      {query.error && !query.data && <ErrorPanel error={query.error} onRetry={() => void query.refetch()} />}
      {query.isPending && <Skeleton height={160} mt="sm" animate={false} />}
      {query.data?.total === 0 && <p className={classes.free}>Nothing waits.</p>}
      {matching.length > 0 && <Rows entries={matching} all={entries} />}
      {query.data && query.data.total > 0 && (
        <p className={`secondary ${classes.below}`}>{more > 0 && `${count(more)} more. `}Start times use measured speeds, and the workers there are now. Drag a row, or focus it and press Alt ↑ or Alt ↓.</p>
      )}
    </section>
  )
}

function Rows({ entries, all }: { entries: QueueEntry[]; all: QueueEntry[] }) {
  const order = useMemo(() => all.filter((entry) => entry.place !== null).map((entry) => entry.run.id), [all])
  const losses = useLosses()
  const move = useQueueMove()
  const [dragged, setDragged] = useState<number | null>(null)
  const [over, setOver] = useState<number | null>(null)
  const send = (id: number, before: number | null | undefined) => {
    const at = order.indexOf(id)
    const undo = order[at + 1] ?? null
    if (before === undefined || before === undo) return
    const run = all.find((entry) => entry.run.id === id)!.run
    const places = order.filter((other) => other !== id)
    const to = before === null ? places.length : places.indexOf(before)
    const words = `${lossLabel(run.loss, run.loss_label, losses.title)} ${cellWords(run, losses)}: moved from ${at + 1} to ${to + 1}.`
    move.mutate({ id, before, undo, words })
  }
  const drop = (onto: number) => {
    if (dragged !== null && dragged !== onto) send(dragged, beforeAt(order, dragged, order.indexOf(onto)))
    setDragged(null)
    setOver(null)
  }
  return (
    <div className="scroll-x" tabIndex={-1}>
      <table className={`table ${classes.queue}`}>
        <thead>
          <tr>
            <th>#</th>
            <th>Run</th>
            <th>Experiment</th>
            <th className="right">Priority</th>
            <th className="right">Starts in about</th>
            <th className="right">Runs for</th>
            <th>Note</th>
            <th>
              <span className="hidden-text">Move or cancel</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <QueueRow
              key={entry.run.id}
              entry={entry}
              busy={move.isPending}
              can={(where: Where) => beforeBy(order, entry.run.id, where) !== undefined}
              onMove={(where: Where) => send(entry.run.id, beforeBy(order, entry.run.id, where))}
              drag={{ dragged: dragged === entry.run.id, over: over === entry.run.id, start: setDragged, enter: setOver, drop }}
            />
          ))}
        </tbody>
      </table>
    </div>
  )
}
