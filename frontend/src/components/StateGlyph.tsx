import type { RunSummary } from '../api/types'
import { cellState, type CellState } from '../lib/grid'
import classes from './StateGlyph.module.css'

interface Props {
  state: CellState | 'missing'
  /** 0..1, fills the ring of a running one */
  progress?: number
  size?: number
}

/** A run's state by shape first, then by colour. */
export function StateGlyph({ state, progress = 0, size = 14 }: Props) {
  return (
    <svg width={size} height={size} viewBox="0 0 14 14" className={classes[state]} aria-hidden focusable="false">
      {state === 'running' ? <Ring progress={progress} /> : <path d={SHAPES[state]} />}
    </svg>
  )
}

const SHAPES: Record<Exclude<Props['state'], 'running'>, string> = {
  done: 'M3.5 1.5h7a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2h-7a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2Z',
  queued: 'M7 5.2a1.8 1.8 0 1 1 0 3.6a1.8 1.8 0 1 1 0-3.6Z',
  failed: 'M2.5 2.5L11.5 11.5M11.5 2.5L2.5 11.5',
  cancelled: 'M2.5 7H11.5',
  diverged: 'M7 1.8L13 12.2H1ZM7 5.6v3M7 10.4v.01',
  missing: 'M3.5 1.5h7a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2h-7a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2Z',
}

function Ring({ progress }: { progress: number }) {
  const around = 2 * Math.PI * 5
  return (
    <>
      <circle cx="7" cy="7" r="5" className={classes.track} />
      <circle cx="7" cy="7" r="5" strokeDasharray={`${Math.max(0.04, progress) * around} ${around}`} transform="rotate(-90 7 7)" />
    </>
  )
}

export const STATE_WORDS: Record<CellState, string> = {
  done: 'done',
  running: 'running',
  queued: 'queued',
  failed: 'failed',
  cancelled: 'cancelled',
  diverged: 'diverged',
}

function RunNote({ run }: { run: RunSummary }) {
  const words = run.cancel_requested ? 'stopping' : run.pause_requested ? 'pausing' : run.stalled ? 'stalled' : null
  return words && <span className={run.stalled ? classes.stalledText : 'secondary'}>{words}</span>
}

/** The state of a run in a glyph and a word; a running one says how far. */
export function RunState({ run }: { run: RunSummary }) {
  const state = cellState(run)
  const progress = run.steps > 0 ? run.step / run.steps : 0
  return (
    <span className={`${classes.state} ${classes[`${state}Text`] ?? ''}`}>
      <StateGlyph state={state} progress={progress} />
      <span className="num">{run.status === 'running' ? `${Math.floor(progress * 100)} %` : STATE_WORDS[state]}</span>
      {run.status === 'running' && <RunNote run={run} />}
      {run.status === 'queued' && run.held && <span className="secondary">held</span>}
      {run.status === 'cancelled' && run.diverged_at != null && <span className="secondary">diverged at step {run.diverged_at}</span>}
      {run.status === 'failed' && run.reason && (
        <span className={`secondary ellipsis ${classes.reason}`} title={run.reason}>
          {run.reason}
        </span>
      )}
    </span>
  )
}
