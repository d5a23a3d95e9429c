import { Progress } from '@mantine/core'
import { Link } from '@tanstack/react-router'

import type { RunSummary, WorkerEntry } from '../../api/types'
import { lossLabel, LossGlyph } from '../../components/LossGlyph'
import { useLosses } from '../../components/useLosses'
import { useNow } from '../../components/useNow'
import { ago, duration, fixed, parseTime, plural, short } from '../../lib/format'
import classes from './Workers.module.css'

/** What a worker trains, how far, until when. */
export function WorkerCard({ worker }: { worker: WorkerEntry }) {
  const now = useNow(!worker.alive)
  const free = worker.slots - worker.running.length
  return (
    <article className={classes.card} data-lost={!worker.alive || undefined} aria-label={`Worker on ${worker.host}`}>
      <div className="spread">
        <b className="strong ellipsis">{worker.host}</b>
        {worker.alive ? (
          <span className="secondary">seen {ago(worker.last_seen, now)}</span>
        ) : (
          <span className={classes.lost}>lost {duration((now - parseTime(worker.last_seen)) / 1000)}</span>
        )}
      </div>
      <p className="secondary ellipsis" title={worker.device}>
        {worker.device} · {plural(worker.threads, 'thread')} a training · {plural(worker.slots, 'slot')}
      </p>
      {worker.running.map((run) => (
        <Training key={run.id} run={run} />
      ))}
      {worker.alive && free > 0 && <p className={classes.free}>{free === worker.slots ? 'Waits for work.' : `${plural(free, 'slot')} free.`}</p>}
      {!worker.alive && <p className={classes.free}>It joins again by itself when it comes back.</p>}
      <Speeds worker={worker} />
    </article>
  )
}

function Training({ run }: { run: RunSummary }) {
  const losses = useLosses()
  const share = run.step / Math.max(1, run.steps)
  return (
    <div className={classes.training}>
      <Link to="/runs/$runId" params={{ runId: String(run.id) }} className={classes.run}>
        <LossGlyph name={run.loss} />
        <span className="ellipsis">
          {lossLabel(run.loss, run.loss_label, losses.title)} · {short(run.train_size)} · seed {run.seed}
        </span>
      </Link>
      <p className="spread secondary num">
        <span>
          epoch {fixed(run.epoch, 1)}, {Math.floor(100 * share)} %
        </span>
        <span>{duration(run.eta_seconds)}</span>
      </p>
      <Progress value={100 * share} size={4} aria-label={`Progress of run ${run.id}`} transitionDuration={0} />
      <p className="spread secondary num">
        <span className="ellipsis">{losses.encoder(run.encoder)}</span>
        <span>{run.images_per_second === null ? '' : `${fixed(run.images_per_second, run.images_per_second < 10 ? 1 : 0)} images/s`}</span>
      </p>
    </div>
  )
}

function Speeds({ worker }: { worker: WorkerEntry }) {
  const speeds = Object.entries(worker.speeds)
  if (speeds.length === 0) return null
  return (
    <details className={classes.speeds}>
      <summary>Measured speeds</summary>
      <ul className="num">
        {speeds.map(([kind, speed]) => (
          <li key={kind} className="spread">
            <span className="ellipsis">{kind}</span> <span>{fixed(speed, 1)} images/s</span>
          </li>
        ))}
      </ul>
    </details>
  )
}
