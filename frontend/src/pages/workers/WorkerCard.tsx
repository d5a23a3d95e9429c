import { Button, Progress } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'

import { api, unwrap } from '../../api/client'
import type { RunSummary, WorkerEntry } from '../../api/types'
import { lossLabel, LossGlyph } from '../../components/LossGlyph'
import { toastError } from '../../components/toast'
import { useLosses } from '../../components/useLosses'
import { useNow } from '../../components/useNow'
import { ago, duration, fixed, parseTime, plural, short } from '../../lib/format'
import classes from './Workers.module.css'

/** What a worker trains, how far, until when. */
export function WorkerCard({ worker }: { worker: WorkerEntry }) {
  const now = useNow(!worker.alive)
  const free = worker.slots - worker.running.length
  return (
    <article className={classes.card} data-lost={!worker.alive || undefined} data-draining={(worker.alive && worker.draining) || undefined} aria-label={`Worker on ${worker.host}`}>
      <div className="spread">
        <span className="ellipsis">
          <b className="strong">{worker.host}</b> <span className="secondary num" title={worker.id}>{worker.id.slice(0, 8)}</span>
        </span>
        {worker.alive ? (
          <span className="secondary">seen {ago(worker.last_seen, now)}</span>
        ) : (
          <span className={classes.lost}>lost {duration((now - parseTime(worker.last_seen)) / 1000)}</span>
        )}
      </div>
      <p className="secondary ellipsis" title={worker.device}>
        {worker.device} · {plural(worker.threads, 'thread')} a training · {plural(worker.slots, 'slot')}
      </p>
      {worker.alive && worker.running.map((run) => (
        <Training key={run.id} run={run} />
      ))}
      {worker.alive && <Gpus gpus={worker.gpus} />}
      {worker.alive && worker.draining && <p className={classes.draining}>{worker.running.length > 0 ? 'Finishing, takes nothing more.' : 'Finished, takes nothing more.'}</p>}
      {worker.alive && !worker.draining && free > 0 && <p className={classes.free}>{free === worker.slots ? 'Waits for work.' : `${plural(free, 'slot')} free.`}</p>}
      {!worker.alive && <p className={classes.free}>{worker.running.length > 0 ? `Gone: ${worker.running.length === 1 ? 'its run goes' : 'its runs go'} back to the queue when the lease ends.` : 'Gone: it trains nothing.'} It joins again by itself when it comes back.</p>}
      <Speeds worker={worker} />
      {worker.alive && <DrainButton worker={worker} />}
    </article>
  )
}

/** Use and memory of the host's GPUs, as the worker said last. */
function Gpus({ gpus }: { gpus: WorkerEntry['gpus'] }) {
  if (gpus.length === 0) return null
  return (
    <div className={classes.gpus}>
      {gpus.map((gpu) => (
        <div key={gpu.uuid || gpu.index}>
          <p className="secondary ellipsis" title={gpu.name}>
            GPU {gpu.index} · {gpu.name}
          </p>
          <div className={`${classes.meters} num`}>
            <Meter label="use" share={gpu.utilisation == null ? null : gpu.utilisation / 100} words={gpu.utilisation == null ? '–' : `${Math.round(gpu.utilisation)} %`} of={`GPU ${gpu.index}`} />
            <Meter label="memory" share={gpu.memory_used == null || !gpu.memory_total ? null : gpu.memory_used / gpu.memory_total} words={memoryWords(gpu)} of={`GPU ${gpu.index}`} />
          </div>
        </div>
      ))}
    </div>
  )
}

function Meter({ label, share, words, of }: { label: string; share: number | null; words: string; of: string }) {
  return (
    <>
      <span>{label}</span>
      <Progress value={100 * (share ?? 0)} size={4} color="gray" aria-label={`${of}, ${label}`} transitionDuration={0} />
      <span className="right">{words}</span>
    </>
  )
}

function memoryWords(gpu: WorkerEntry['gpus'][number]): string {
  if (gpu.memory_used == null || gpu.memory_total == null) return '–'
  return `${fixed(gpu.memory_used / 2 ** 30, 1)} of ${fixed(gpu.memory_total / 2 ** 30, 0)} GiB`
}

function DrainButton({ worker }: { worker: WorkerEntry }) {
  const client = useQueryClient()
  const drain = useMutation({
    mutationFn: () => unwrap(api.POST('/api/workers/{worker_id}/drain', { params: { path: { worker_id: worker.id } }, body: { draining: !worker.draining } })),
    onSettled: () => client.invalidateQueries({ queryKey: ['workers'] }),
    onError: toastError,
  })
  return (
    <p className={classes.foot}>
      <Button variant="default" size="compact-xs" loading={drain.isPending} onClick={() => drain.mutate()} title={worker.draining ? 'Let it take runs again' : 'Let it finish what it trains and take nothing more'}>
        {worker.draining ? 'Take runs again' : 'Drain'}
      </Button>
    </p>
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
