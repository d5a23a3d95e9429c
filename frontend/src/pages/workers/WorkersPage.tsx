import { Skeleton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'

import { queueQuery, workersQuery } from '../../api/queries'
import type { WorkerEntry } from '../../api/types'
import { Command } from '../../components/Command'
import { ErrorPanel, PanelBoundary } from '../../components/ErrorPanel'
import { Icon } from '../../components/icons'
import { PageHeader } from '../../components/PageHeader'
import { useNow } from '../../components/useNow'
import { count, duration, parseTime } from '../../lib/format'
import { QUEUE_READ, QueueTable } from './QueueTable'
import { WorkerCard } from './WorkerCard'
import classes from './Workers.module.css'

/** Who trains, how far, and what waits. */
export function WorkersPage() {
  const workers = useQuery(workersQuery())
  const waiting = useQuery(queueQuery(QUEUE_READ))
  return (
    <>
      <PageHeader title="Queue & workers" tabTitle="Queue & workers" />
      <div className={classes.page}>
        {workers.error && !workers.data && <ErrorPanel error={workers.error} onRetry={() => void workers.refetch()} what="The workers could not be read." />}
        {workers.isPending && <Skeleton height={180} animate={false} />}
        {workers.data && <Summary workers={workers.data} waiting={waiting.data?.total ?? 0} />}
        {workers.data && <Lost workers={workers.data} />}
        {workers.data && workers.data.length === 0 && <NoWorkers />}
        <div className={classes.cards}>
          {workers.data?.map((worker) => (
            <PanelBoundary key={worker.id}>
              <WorkerCard worker={worker} />
            </PanelBoundary>
          ))}
        </div>
        <PanelBoundary>
          <QueueTable />
        </PanelBoundary>
      </div>
    </>
  )
}

function Summary({ workers, waiting }: { workers: WorkerEntry[]; waiting: number }) {
  const alive = workers.filter((worker) => worker.alive)
  const working = alive.reduce((sum, worker) => sum + worker.running.length, 0)
  const slots = alive.reduce((sum, worker) => sum + (worker.draining ? worker.running.length : worker.slots), 0)
  return (
    <p className={`${classes.summary} num`}>
      <span>
        <b className="strong">{working}</b> of {slots} slots training
      </span>
      <span>
        <b className="strong">{count(waiting)}</b> {waiting === 1 ? 'run' : 'runs'} waiting
      </span>
    </p>
  )
}

/** One strip while a silent worker holds a run: which worker, and what that means for the run. */
function Lost({ workers }: { workers: WorkerEntry[] }) {
  const lost = workers.filter((worker) => !worker.alive && worker.running.length > 0)
  const now = useNow(lost.length > 0)
  const latest = lost.toSorted((a, b) => parseTime(b.last_seen) - parseTime(a.last_seen))[0]
  if (!latest) return null
  return (
    <div className={classes.strip} role="status">
      <Icon name="warning" />
      <p>
        <b className="strong">
          {latest.host} stopped answering {duration((now - parseTime(latest.last_seen)) / 1000)} ago.
        </b>{' '}
        A run it held goes back to the queue when its lease ends, and resumes from its last checkpoint.
        {lost.length > 1 && ` ${lost.length - 1} more are silent.`}
      </p>
    </div>
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
