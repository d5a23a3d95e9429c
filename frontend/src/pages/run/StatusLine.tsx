import { Progress } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'

import { curvesQuery } from '../../api/queries'
import type { RunDetail } from '../../api/types'
import { Icon } from '../../components/icons'
import { StateGlyph } from '../../components/StateGlyph'
import { useNow } from '../../components/useNow'
import { ago, count, duration, fixed, parseTime } from '../../lib/format'
import { cellState } from '../../lib/grid'
import { isScript, stepWords } from '../../lib/script'
import classes from './Run.module.css'

/** How the run stands, in one line. */
export function StatusLine({ run }: { run: RunDetail }) {
  const share = run.step / Math.max(1, run.steps)
  const epochs = run.step > 0 && run.steps > 0 ? (run.epoch / run.step) * run.steps : null
  return (
    <>
    <div className={classes.status} role="status">
      <span className={`${classes.state} num`} data-state={run.stalled ? 'stalled' : run.status}>
        <StateGlyph state={cellState(run)} progress={share} size={16} />
        {headline(run, epochs)}
        <Rest run={run} />
      </span>
      {run.status === 'running' && run.steps > 0 && <Progress className={classes.bar} value={100 * share} size={4} aria-label="Progress" transitionDuration={0} />}
      <span className="num">
        {stepWords(run, count)}
      </span>
      {run.status === 'running' && !isScript(run) && (
        <>
          <span className="num">{run.images_per_second === null ? 'speed not known yet' : `${fixed(run.images_per_second, run.images_per_second < 10 ? 1 : 0)} images/s`}</span>
          {!run.stalled && <span className="num">{duration(run.eta_seconds)} left</span>}
        </>
      )}
      <Place run={run} />
      <Heard run={run} />
    </div>
    <Stalled run={run} />
    </>
  )
}

function headline(run: RunDetail, epochs: number | null): string {
  const at = `epoch ${fixed(run.epoch, run.epoch < 10 ? 1 : 0)}`
  const place = epochs === null || run.epoch === 0 ? '' : ` ${at} of ${fixed(epochs, epochs < 10 ? 1 : 0)}`
  const words = { queued: run.held ? 'Held: its experiment is paused or in the trash' : 'Waiting for a worker', running: runningWord(run), finished: 'Done,', failed: 'Failed at', cancelled: 'Cancelled at' }[run.status]
  if (run.status === 'queued') return words
  if (isScript(run) && !place) return words.replace(/,$| at$/, '') + (run.diverged_at != null ? `, diverged at step ${run.diverged_at}` : '')
  return `${words}${place}${run.diverged_at != null ? `, diverged at step ${run.diverged_at}` : ''}`
}

function runningWord(run: RunDetail): string {
  if (run.cancel_requested) return 'Stopping,'
  if (run.pause_requested) return 'Pausing after a checkpoint,'
  return run.stalled ? 'Stalled,' : 'Running,'
}

/** How long a run rests after an attempt that broke off, before a worker may get it. */
function Rest({ run }: { run: RunDetail }) {
  const now = useNow(run.not_before !== null)
  const seconds = run.not_before === null ? 0 : (parseTime(run.not_before) - now) / 1000
  return seconds > 0 && !run.held ? <span className="secondary num"> (its last attempt broke off: tried again in {Math.ceil(seconds)} s)</span> : null
}

/** A run that stands still: since when, and what a person can do about it. */
function Stalled({ run }: { run: RunDetail }) {
  const now = useNow(run.stalled)
  if (!run.stalled || !run.progressed_at) return null
  if (!run.worker_answers)
    return (
      <p className={classes.stalled} role="alert">
        <Icon name="warning" />
        <span>
          <b className="strong">Its worker does not answer.</b> If it stays silent, the run goes back to the queue when its lease ends, within a minute or so, and goes on from its
          last checkpoint. Nothing that was recorded is lost.
        </span>
      </p>
    )
  return (
    <p className={classes.stalled} role="alert">
      <Icon name="warning" />
      <span>
        <b className="strong">Nothing has moved for {duration((now - parseTime(run.progressed_at)) / 1000)}</b>, though its worker answers. The log may say why: data that loads slowly, a full
        disk, a hang. Cancel keeps what it recorded, and Retry then goes on from its last checkpoint.
      </span>
    </p>
  )
}

/** Until the end: when it was heard of last. After it: how long it was trained, which leaves waits out. */
function Heard({ run }: { run: RunDetail }) {
  const running = run.status === 'running'
  const now = useNow(running)
  const curves = useQuery({ ...curvesQuery(run.id), enabled: false }).data
  if (running) {
    const walls = Object.values(curves?.series ?? {}).map((series) => 1000 * (series.wall.at(-1) ?? 0))
    const last = Math.max(run.progressed_at ? parseTime(run.progressed_at) : 0, ...walls)
    return last > 0 ? <span className={`${classes.ended} num`}>last message {secondsAgo((now - last) / 1000)}</span> : null
  }
  if (!run.finished_at) return null
  return (
    <span className={classes.ended}>
      {run.trained_seconds !== null && `trained ${duration(run.trained_seconds)}${run.attempts.length > 1 ? ` in ${run.attempts.length} attempts` : ''}, `}ended {ago(run.finished_at, now)}
    </span>
  )
}

function secondsAgo(seconds: number): string {
  return seconds < 1 ? 'now' : `${duration(seconds)} ago`
}

/** Where it trains: `lab-1 · NVIDIA H200` */
function Place({ run }: { run: RunDetail }) {
  const attempt = run.attempts.at(-1)
  if (run.status !== 'running' || !attempt?.host) return null
  return <span className="ellipsis">{[attempt.host, attempt.device].filter(Boolean).join(' · ')}</span>
}
