import { Progress } from '@mantine/core'

import type { RunDetail } from '../../api/types'
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
    <div className={classes.status} role="status">
      <span className={`${classes.state} num`} data-state={run.status}>
        <StateGlyph state={cellState(run)} progress={share} size={16} />
        {headline(run, epochs)}
      </span>
      {run.status === 'running' && run.steps > 0 && <Progress className={classes.bar} value={100 * share} size={4} aria-label="Progress" transitionDuration={0} />}
      <span className="num">
        {stepWords(run, count)}
      </span>
      {run.status === 'running' && !isScript(run) && (
        <>
          <span className="num">{run.images_per_second === null ? 'speed not known yet' : `${fixed(run.images_per_second, run.images_per_second < 10 ? 1 : 0)} images/s`}</span>
          <span className="num">{duration(run.eta_seconds)} left</span>
        </>
      )}
      <Ended run={run} />
    </div>
  )
}

function headline(run: RunDetail, epochs: number | null): string {
  const at = `epoch ${fixed(run.epoch, run.epoch < 10 ? 1 : 0)}`
  const place = epochs === null || run.epoch === 0 ? '' : ` ${at} of ${fixed(epochs, epochs < 10 ? 1 : 0)}`
  const words = { queued: 'Waiting for a worker', running: run.cancel_requested ? 'Stopping,' : 'Running,', finished: 'Done,', failed: 'Failed at', cancelled: 'Cancelled at' }[run.status]
  if (run.status === 'queued') return words
  if (isScript(run) && !place) return words.replace(/,$| at$/, '') + (run.diverged_at != null ? `, diverged at step ${run.diverged_at}` : '')
  return `${words}${place}${run.diverged_at != null ? `, diverged at step ${run.diverged_at}` : ''}`
}

function Ended({ run }: { run: RunDetail }) {
  const now = useNow()
  if (!run.finished_at) return null
  const took = run.started_at ? (parseTime(run.finished_at) - parseTime(run.started_at)) / 1000 : null
  return (
    <span className={classes.ended}>
      {took !== null && `took ${duration(took)}, `}ended {ago(run.finished_at, now)}
    </span>
  )
}
