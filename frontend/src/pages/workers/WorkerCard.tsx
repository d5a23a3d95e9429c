import { ActionIcon, Menu, Progress } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'

import { api, unwrap } from '../../api/client'
import type { RunSummary, WorkerEntry } from '../../api/types'
import { Icon } from '../../components/icons'
import { lossLabel, LossGlyph } from '../../components/LossGlyph'
import { Sparkline } from '../../components/Sparkline'
import { toastError } from '../../components/toast'
import { useLosses } from '../../components/useLosses'
import { useNow } from '../../components/useNow'
import { ago, duration, fixed, parseTime, plural, short } from '../../lib/format'
import { lostWords, type Slot } from '../../lib/workers'
import classes from './Workers.module.css'

/** A place where a run trains, or none does: what, how far, until when, how busy. */
export function WorkerCard({ slot, alone }: { slot: Slot; alone: boolean }) {
  const { worker, run, gpu } = slot
  const now = useNow(!worker.alive)
  const name = gpu ? `${worker.host} · GPU ${gpu.index}` : worker.host
  return (
    <article className={classes.card} data-lost={!worker.alive || undefined} data-draining={(worker.alive && worker.draining) || undefined} aria-label={`Worker on ${worker.host}`}>
      <div className={classes.head}>
        <b className="strong ellipsis" title={worker.id}>
          {name}
          {!alone && <span className={`${classes.quiet} num`}> {worker.id.slice(0, 6)}</span>}
        </b>
        {worker.alive && <Actions worker={worker} />}
      </div>
      <p className="spread secondary">
        <span className="ellipsis" title={worker.device}>
          {gpu?.name ?? worker.device}
        </span>
        <Standing worker={worker} now={now} />
      </p>
      {run && <Training run={run} alive={worker.alive} />}
      {worker.alive && run && <Use slot={slot} />}
      {worker.alive && !run && <Free slot={slot} />}
      {!worker.alive && <Gone worker={worker} />}
    </article>
  )
}

function Standing({ worker, now }: { worker: WorkerEntry; now: number }) {
  if (!worker.alive) return <span className={classes.lost}>lost {duration((now - parseTime(worker.last_seen)) / 1000)}</span>
  if (worker.draining) return <span className={classes.draining}>draining</span>
  return <span className={classes.seen}>seen {ago(worker.last_seen, now)}</span>
}

function Training({ run, alive }: { run: RunSummary; alive: boolean }) {
  const losses = useLosses()
  const share = run.step / Math.max(1, run.steps)
  const epochs = run.step > 0 ? (run.epoch / run.step) * run.steps : null
  return (
    <div className={classes.training}>
      <Link to="/runs/$runId" params={{ runId: String(run.id) }} className={classes.run}>
        <LossGlyph name={run.loss} />
        <span className="ellipsis">
          {lossLabel(run.loss, run.loss_label, losses.title)} · {short(run.train_size)} · seed {run.seed}
        </span>
      </Link>
      <p className="spread secondary num">
        <span>{epochs === null ? 'has not begun' : `epoch ${place(run.epoch)} of ${place(epochs)}`}</span>
        {alive && <span>{duration(run.eta_seconds)}</span>}
      </p>
      <Progress value={100 * share} size={4} aria-label={`Progress of run ${run.id}`} transitionDuration={0} />
    </div>
  )
}

function place(epoch: number): string {
  return fixed(epoch, epoch < 10 && !Number.isInteger(epoch) ? 1 : 0)
}

/** How busy, on a scale from 0 to 100; memory and heat as the worker said last. */
function Use({ slot }: { slot: Slot }) {
  const { worker, run, gpu, busy } = slot
  const share = gpu ? gpu.utilisation : lastOf(busy?.values)
  const memory = gpu?.memory_used != null && gpu.memory_total != null ? `${fixed(gpu.memory_used / 1e9, 0)}/${fixed(gpu.memory_total / 1e9, 0)} GB` : null
  const facts = gpu ? [memory, gpu.temperature == null ? null : `${fixed(gpu.temperature, 0)} °C`] : [plural(worker.threads, 'thread')]
  const speed = run!.images_per_second
  return (
    <>
      <div className={classes.use}>
        <span className={classes.spark}>{busy && <Sparkline values={busy.values} full={busy.full} width={150} height={26} label={`Use of ${gpu ? 'the GPU' : 'the CPU'} over the run`} />}</span>
        <span className="num">
          <b className="strong">{share == null ? '–' : `${fixed(share, 0)} %`}</b> <span className={classes.quiet}>{gpu ? 'GPU' : 'CPU'}</span>
        </span>
      </div>
      <p className="spread secondary num">
        <span>{facts.filter(Boolean).join(' · ')}</span>
        <span>{speed === null ? '' : `${fixed(speed, speed < 10 ? 1 : 0)} images/s`}</span>
      </p>
    </>
  )
}

function lastOf(values: readonly (number | null)[] | undefined): number | null {
  return values?.findLast((value) => value !== null) ?? null
}

function Free({ slot: { worker } }: { slot: Slot }) {
  const free = worker.slots - worker.running.length
  if (worker.draining) return <p className={classes.free}>Drained: takes nothing more.</p>
  return <p className={classes.free}>{worker.slots === 1 || free === 1 ? 'Waits for work.' : `${plural(free, 'slot')} wait for work.`}</p>
}

/** What a worker had when it was last heard of, and what became of it. */
function Gone({ worker }: { worker: WorkerEntry }) {
  const losses = useLosses()
  return (
    <div className={classes.free}>
      {worker.running.map((run) => (
        <p key={run.id}>Its run {lostWords(run, null)}.</p>
      ))}
      {worker.lost.map(({ run, resumes_from }) => (
        <p key={run.id}>
          Its run{' '}
          <Link to="/runs/$runId" params={{ runId: String(run.id) }}>
            {lossLabel(run.loss, run.loss_label, losses.title)} · {short(run.train_size)} · seed {run.seed}
          </Link>{' '}
          {lostWords(run, resumes_from)}.
        </p>
      ))}
      <p>It joins again by itself when it comes back, and is forgotten after a week.</p>
    </div>
  )
}

function Actions({ worker }: { worker: WorkerEntry }) {
  const client = useQueryClient()
  const drain = useMutation({
    mutationFn: () => unwrap(api.POST('/api/workers/{worker_id}/drain', { params: { path: { worker_id: worker.id } }, body: { draining: !worker.draining } })),
    onSettled: () => client.invalidateQueries({ queryKey: ['workers'] }),
    onError: toastError,
  })
  const speeds = Object.entries(worker.speeds)
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size={24} aria-label={`Actions of the worker on ${worker.host}`} loading={drain.isPending}>
          <Icon name="more" />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<Icon name={worker.draining ? 'play' : 'pause'} size={14} />} onClick={() => drain.mutate()}>
          {worker.draining ? 'Take runs again' : 'Drain: finish what it trains, take nothing more'}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Label>
          {worker.device}, {plural(worker.slots, 'slot')}, {plural(worker.threads, 'thread')} each, version {worker.version}
        </Menu.Label>
        {speeds.map(([kind, speed]) => (
          <Menu.Label key={kind} className="num">
            {kind}: {fixed(speed, 1)} images/s measured
          </Menu.Label>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}
