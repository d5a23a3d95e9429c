import { Skeleton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'

import { queueQuery, usageQuery, workersQuery } from '../../api/queries'
import type { QueueEntry, WorkerEntry } from '../../api/types'
import { Command } from '../../components/Command'
import { ErrorPanel, PanelBoundary } from '../../components/ErrorPanel'
import { Icon } from '../../components/icons'
import { lossLabel } from '../../components/LossGlyph'
import { PageHeader } from '../../components/PageHeader'
import { useLosses } from '../../components/useLosses'
import { useNow } from '../../components/useNow'
import { cellWords } from '../../lib/experiment'
import { ago, count, duration, parseTime, plural } from '../../lib/format'
import { clearIn, counts, lostWords, slotsOf, usageKeys } from '../../lib/workers'
import { QUEUE_READ, QueueTable } from './QueueTable'
import { WorkerCard } from './WorkerCard'
import classes from './Workers.module.css'

/** Who trains, how far, and what waits. */
export function WorkersPage() {
  const workers = useQuery(workersQuery())
  const waiting = useQuery(queueQuery(QUEUE_READ))
  const shown = (workers.data ?? []).filter((worker) => worker.alive || worker.running.length > 0 || worker.lost.length > 0)
  const left = (workers.data ?? []).filter((worker) => !shown.includes(worker))
  return (
    <>
      <PageHeader title="Queue & workers" tabTitle="Queue & workers" />
      <div className={classes.page}>
        {workers.error && !workers.data && <ErrorPanel error={workers.error} onRetry={() => void workers.refetch()} what="The workers could not be read." />}
        {workers.isPending && <Skeleton height={180} animate={false} />}
        {workers.data && <Summary workers={workers.data} queue={waiting.data} />}
        {workers.data && <Lost workers={workers.data} />}
        {workers.data && !workers.data.some((worker) => worker.alive) && <NoWorkers />}
        <Cards workers={shown} />
        {left.length > 0 && <Left workers={left} />}
        <PanelBoundary>
          <QueueTable />
        </PanelBoundary>
      </div>
    </>
  )
}

function Cards({ workers }: { workers: WorkerEntry[] }) {
  const runs = workers.flatMap((worker) => worker.running.map((run) => run.id)).toSorted((a, b) => a - b)
  const usage = useQuery(usageQuery(runs, usageKeys(workers))).data ?? []
  const hosts = workers.map((worker) => worker.host)
  return (
    <div className={classes.cards}>
      {workers.flatMap((worker) =>
        slotsOf(worker, usage).map((slot) => (
          <PanelBoundary key={slot.key}>
            <WorkerCard slot={slot} alone={hosts.indexOf(worker.host) === hosts.lastIndexOf(worker.host)} />
          </PanelBoundary>
        )),
      )}
    </div>
  )
}

function Summary({ workers, queue }: { workers: WorkerEntry[]; queue: { items: QueueEntry[]; total: number } | undefined }) {
  const { working, slots } = counts(workers)
  const waiting = queue?.total ?? 0
  const clear = queue ? clearIn(queue.items, waiting) : null
  return (
    <p className={`${classes.summary} num`}>
      <span>
        <b className="strong">{working}</b> of {slots} {slots === 1 ? 'slot' : 'slots'} training
      </span>
      <span>
        <b className="strong">{count(waiting)}</b> {waiting === 1 ? 'run' : 'runs'} waiting
      </span>
      {clear !== null && (
        <span>
          clear in about <b className="strong">{duration(clear)}</b>
        </span>
      )}
    </p>
  )
}

/** One strip while a silent worker holds a run, or its run waits: which worker, and what that means for the run. */
function Lost({ workers }: { workers: WorkerEntry[] }) {
  const losses = useLosses()
  const lost = workers.filter((worker) => !worker.alive && (worker.running.length > 0 || worker.lost.length > 0))
  const now = useNow(lost.length > 0)
  const latest = lost.toSorted((a, b) => parseTime(b.last_seen) - parseTime(a.last_seen))[0]
  if (!latest) return null
  const [run, from] = latest.running[0] ? [latest.running[0], null] : [latest.lost[0]!.run, latest.lost[0]!.resumes_from]
  return (
    <div className={classes.strip} role="status">
      <Icon name="warning" />
      <p>
        <b className="strong num">
          {latest.host} stopped answering {duration((now - parseTime(latest.last_seen)) / 1000)} ago.
        </b>{' '}
        Its run {lossLabel(run.loss, run.loss_label, losses.title)} · {cellWords(run, losses)} {lostWords(run, from)}.{lost.length > 1 && ` ${lost.length - 1} more ${lost.length === 2 ? 'is' : 'are'} silent.`}
      </p>
      <Link to="/runs/$runId" params={{ runId: String(run.id) }} className={classes.open}>
        Open run
      </Link>
    </div>
  )
}

/** Workers that ended and held nothing. */
function Left({ workers }: { workers: WorkerEntry[] }) {
  const now = useNow()
  return (
    <details className={classes.left}>
      <summary>{plural(workers.length, 'worker')} of the last week, no longer here</summary>
      <ul>
        {workers.map((worker) => (
          <li key={worker.id} className="num">
            {worker.host} {worker.id.slice(0, 6)}, {worker.device}, seen {ago(worker.last_seen, now)}
          </li>
        ))}
      </ul>
    </details>
  )
}

function NoWorkers() {
  return (
    <section className={classes.none}>
      <h2 className="section">No worker is here</h2>
      <p>
        One that was started just now is shown once it has measured its machine's speed, in about half a minute. Until one comes, runs wait. Start one on any machine that reaches this server:
      </p>
      <Command text={`DEPTHBOARD_API_URL=${location.origin} depthboard work`} />
    </section>
  )
}
