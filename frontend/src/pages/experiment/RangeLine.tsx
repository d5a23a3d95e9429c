import { useState } from 'react'

import { api, unwrap } from '../../api/client'
import type { ExperimentDetail, RunSummary } from '../../api/types'
import { Icon } from '../../components/icons'
import { lossLabel } from '../../components/LossGlyph'
import { StateGlyph } from '../../components/StateGlyph'
import { toast, toastError } from '../../components/toast'
import { useRefresh } from '../../components/useExperimentMove'
import { useLosses } from '../../components/useLosses'
import { plural } from '../../lib/format'
import { isGap, type Gap, type Mark } from '../../lib/grid'
import { isScript } from '../../lib/script'
import { runWords } from './CompletenessGrid'
import classes from './Overview.module.css'
import { useLaunch } from './useLaunch'

/** Runs that ended without a result and can be put back. */
const canRetry = (mark: Mark): mark is RunSummary => !isGap(mark) && (mark.status === 'failed' || mark.status === 'cancelled') && !isScript(mark)

interface Props {
  marks: Mark[]
  experiment: ExperimentDetail
  onDone: () => void
}

/** Several cells at once: put back what ended without a result, launch what has no run. */
export function RangeLine({ marks, experiment, onDone }: Props) {
  const launch = useLaunch(experiment.id)
  const refresh = useRefresh()
  const [busy, setBusy] = useState(false)
  const ended = marks.filter(canRetry)
  const without = marks.filter(isGap)
  const retry = async () => {
    setBusy(true)
    const sent = await Promise.allSettled(ended.map(({ id }) => unwrap(api.POST('/api/runs/{id}/retry', { params: { path: { id } } }))))
    setBusy(false)
    const refused = sent.find((one) => one.status === 'rejected')
    if (refused) toastError(refused.reason)
    else toast(`${plural(ended.length, 'run')} went back to the queue.`)
    await refresh(experiment.id)
    onDone()
  }
  return (
    <div className={classes.line} role="status">
      <b className="strong num">{plural(marks.length, 'cell')}</b>
      <span className={`secondary ${classes.grow}`}>{ended.length + without.length === 0 ? 'None of them can be retried or launched.' : ''}</span>
      {ended.length > 0 && (
        <button type="button" className="link" disabled={busy} onClick={() => void retry()}>
          <Icon name="retry" size={14} /> Retry {ended.length}
        </button>
      )}
      {without.length > 0 && (
        <button type="button" className="link" disabled={launch.isPending} onClick={() => launch.mutate(without, { onSuccess: onDone })}>
          <Icon name="play" size={14} /> Launch {without.length}
        </button>
      )}
      <button type="button" className="link" onClick={onDone}>
        Clear
      </button>
    </div>
  )
}

export function GapLine({ gap, experiment }: { gap: Gap; experiment: ExperimentDetail }) {
  const losses = useLosses()
  const launch = useLaunch(experiment.id)
  return (
    <div className={classes.line} role="status">
      <StateGlyph state="missing" />
      <b className="strong">
        {lossLabel(gap.loss, gap.loss_label, losses.title)} · {runWords(gap, losses)}
      </b>
      <span className={`secondary ${classes.grow}`}>missing: no run yet</span>
      <button type="button" className="link" disabled={launch.isPending} onClick={() => launch.mutate([gap])}>
        <Icon name="play" size={14} /> Launch
      </button>
    </div>
  )
}
