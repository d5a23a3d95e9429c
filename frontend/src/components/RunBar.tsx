import type { Counts } from '../api/types'
import { count, plural } from '../lib/format'
import classes from './RunBar.module.css'

const ORDER = ['finished', 'running', 'failed', 'cancelled', 'queued'] as const

export function total(counts: Counts): number {
  return ORDER.reduce((sum, state) => sum + (counts[state] ?? 0), 0)
}

/** Progress made of run states: a run is a share of the bar. */
export function RunBar({ counts }: { counts: Counts }) {
  const all = total(counts)
  const words = ORDER.filter((state) => counts[state]).map((state) => `${counts[state]} ${state}`)
  return (
    <span className={classes.bar} role="img" aria-label={`${plural(all, 'run')}: ${words.join(', ') || 'none'}`}>
      {ORDER.map((state) => (counts[state] ? <span key={state} className={classes[state]} style={{ flexGrow: counts[state] }} /> : null))}
    </span>
  )
}

/** `17 of 28 · 2 running · 1 failed` */
export function RunWords({ counts }: { counts: Counts }) {
  return (
    <span className="num">
      {count(counts.finished ?? 0)} of {count(total(counts))}
      {counts.running ? <span className={classes.runningText}> · {counts.running} running</span> : null}
      {counts.failed ? <span className={classes.failedText}> · {counts.failed} failed</span> : null}
      {counts.cancelled ? ` · ${counts.cancelled} cancelled` : null}
    </span>
  )
}
