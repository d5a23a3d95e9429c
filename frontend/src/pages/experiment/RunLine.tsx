import { Link } from '@tanstack/react-router'

import type { RunSummary } from '../../api/types'
import { Icon } from '../../components/icons'
import { lossLabel } from '../../components/LossGlyph'
import { StateGlyph } from '../../components/StateGlyph'
import { useLosses } from '../../components/useLosses'
import { useRunMove } from '../../components/useRunMove'
import { duration, fixed, metricWithUnit, plural } from '../../lib/format'
import { cellState } from '../../lib/grid'
import { isScript } from '../../lib/script'
import { runWords } from './CompletenessGrid'
import classes from './Overview.module.css'

/** The selected run in one line: which, what happened, what can be done. */
export function RunLine({ run, experimentId }: { run: RunSummary; experimentId: number }) {
  const losses = useLosses()
  const cancel = useRunMove(run.id, 'cancel')
  const retry = useRunMove(run.id, 'retry')
  return (
    <div className={classes.line} role="status">
      <StateGlyph state={cellState(run)} progress={run.step / Math.max(1, run.steps)} />
      <b className="strong">
        {lossLabel(run.loss, run.loss_label, losses.title)} · {runWords(run, losses)}
      </b>
      <span className={`secondary ${classes.grow}`}>{story(run)}</span>
      {(run.status === 'failed' || run.status === 'cancelled') && !isScript(run) && (
        <button type="button" className="link" disabled={retry.isPending} onClick={() => retry.mutate()}>
          <Icon name="retry" size={14} /> Retry
        </button>
      )}
      {(run.status === 'queued' || run.status === 'running') && !run.cancel_requested && (
        <button type="button" className="link" disabled={cancel.isPending} onClick={() => cancel.mutate()}>
          <Icon name="stop" size={14} /> Cancel
        </button>
      )}
      <Link to="/runs/$runId" params={{ runId: String(run.id) }} search={{ from: experimentId }}>
        Open run
      </Link>
    </div>
  )
}

/** What happened to a run, in a few words. */
function story(run: RunSummary): string {
  const value = run.metrics?.rmse
  const rmse = value == null ? '' : `RMSE ${metricWithUnit(value, { unit: 'm' })}`
  if (run.status === 'failed') return `${run.reason ?? 'failed without a reason'} Attempt ${run.attempt}.`
  if (run.diverged_at != null && run.status !== 'queued') return `${run.status === 'cancelled' ? 'cancelled, ' : ''}diverged at step ${run.diverged_at}. ${rmse && `Last ${rmse}.`}`
  if (run.status === 'queued') return `${run.held ? 'held: its experiment is paused or in the trash' : 'waits for a worker'}${run.attempt > 0 ? `, ${plural(run.attempt, 'attempt')} so far` : ''}`
  if (run.status === 'cancelled') return `cancelled at epoch ${fixed(run.epoch, 1)}${rmse && `, ${rmse}`}`
  if (run.status === 'finished') return `done, ${rmse || 'no evaluation'}`
  const standing = run.cancel_requested ? 'stopping' : run.pause_requested ? 'pausing after a checkpoint' : run.stalled ? 'stalled: nothing has moved for a while, or its worker does not answer' : ''
  return [standing, `epoch ${fixed(run.epoch, 1)}`, run.eta_seconds === null ? '' : `${duration(run.eta_seconds)} left`, rmse].filter(Boolean).join(', ')
}
