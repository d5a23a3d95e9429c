import { ActionIcon, Skeleton, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'

import { runsQuery } from '../../api/queries'
import type { RunSummary } from '../../api/types'
import { ErrorPanel } from '../../components/ErrorPanel'
import { Icon } from '../../components/icons'
import { lossLabel, LossGlyph } from '../../components/LossGlyph'
import { useLosses } from '../../components/useLosses'
import { useNow } from '../../components/useNow'
import { useRunMove } from '../../components/useRunMove'
import { cellWords } from '../../lib/experiment'
import { ago, count } from '../../lib/format'
import { parseFilter } from '../../lib/filter'
import classes from './Workers.module.css'
import { QUEUE_READ } from './WorkersPage'

const SHOWN = 200

/** What waits, the oldest first. */
export function QueueTable() {
  const query = useQuery(runsQuery('queued', QUEUE_READ))
  const [text, setText] = useState('')
  const filter = parseFilter(text, [])
  const matching = query.data?.items.filter(filter.match ?? (() => true)) ?? []
  const runs = matching.toSorted((a, b) => a.id - b.id).slice(0, SHOWN)
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
      {runs.length > 0 && <Rows runs={runs} />}
      {query.data && matching.length > SHOWN && <p className="secondary">{count(query.data.total - runs.length)} more.</p>}
    </section>
  )
}

function Rows({ runs }: { runs: RunSummary[] }) {
  return (
    <div className="scroll-x" tabIndex={-1}>
      <table className={`table ${classes.queue}`}>
        <thead>
          <tr>
            <th className="right">Run</th>
            <th>What</th>
            <th>Data</th>
            <th className="right">Steps left</th>
            <th className="right">Queued</th>
            <th>Note</th>
            <th>
              <span className="hidden-text">Cancel</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <Row key={run.id} run={run} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Row({ run }: { run: RunSummary }) {
  const losses = useLosses()
  const now = useNow()
  const cancel = useRunMove(run.id, 'cancel')
  const label = lossLabel(run.loss, run.loss_label, losses.title)
  return (
    <tr>
      <td className="right num faint">{run.id}</td>
      <td>
        <Link to="/runs/$runId" params={{ runId: String(run.id) }} className={classes.run}>
          <LossGlyph name={run.loss} />
          <b className="strong">{label}</b> <span className={classes.quiet}>{cellWords(run, losses)}</span>
        </Link>
      </td>
      <td>{run.dataset}</td>
      <td className="right num">{count(run.steps - run.step)}</td>
      <td className="right num">{ago(run.created_at, now)}</td>
      <td className="secondary">{run.attempt > 0 ? `attempt ${run.attempt + 1}${run.step > 0 ? `, from step ${count(run.step)}` : ''}` : ''}</td>
      <td className="right">
        <ActionIcon variant="subtle" color="gray" size={24} aria-label={`Cancel ${label}, run ${run.id}`} loading={cancel.isPending} onClick={() => cancel.mutate()}>
          <Icon name="close" size={14} />
        </ActionIcon>
      </td>
    </tr>
  )
}
