import type { RunDetail } from '../../api/types'
import { StateGlyph } from '../../components/StateGlyph'
import { useNow } from '../../components/useNow'
import { againWords, attemptWords, fromWords, sentence, stateOf, waits, type Attempt } from '../../lib/attempts'
import { dateTime, duration, fixed } from '../../lib/format'
import { isScript } from '../../lib/script'
import classes from './Run.module.css'

/** Who tried, where, for how long, and how it ended; the latest on top, the wait for a worker at the end. */
export function Attempts({ run }: { run: RunDetail }) {
  const now = useNow(run.status === 'running' || run.status === 'queued')
  return (
    <section aria-label="Attempts">
      <div className="spread">
        <h2 className="section">Attempts</h2>
        <span className="secondary num">{run.attempts.length}</span>
      </div>
      <ol className={classes.attempts}>
        {run.attempts.toReversed().map((attempt) => (
          <One key={attempt.attempt} run={run} attempt={attempt} now={now} />
        ))}
        <li>
          <StateGlyph state="queued" />
          <p className="secondary" title={dateTime(run.created_at)}>
            {isScript(run) ? `First heard of ${dateTime(run.created_at)}` : waitedWords(run, now)}
          </p>
        </li>
      </ol>
      {run.kept_seconds !== null && <p className="secondary">In training {duration(run.kept_seconds)}, without waits and without what was lost.</p>}
    </section>
  )
}

function One({ run, attempt, now }: { run: RunDetail; attempt: Attempt; now: number }) {
  const place = [attempt.host, attempt.device].filter(Boolean).join(' · ')
  return (
    <li>
      <StateGlyph state={stateOf(attempt)} progress={run.step / Math.max(1, run.steps)} />
      <div title={dateTime(attempt.started_at)}>
        <p>
          <b className="strong">Attempt {attempt.attempt}</b> {attemptWords(attempt, now)}
        </p>
        <p className="secondary">{[place, fromWords(run, attempt)].filter(Boolean).join(', ')}</p>
        {attempt.reason && <p className={`secondary ${classes.why}`}>{sentence(attempt.reason)}</p>}
        {againWords(run, attempt) && <p className="secondary num">{againWords(run, attempt)}</p>}
      </div>
    </li>
  )
}

function waitedWords(run: RunDetail, now: number): string {
  const { first, between } = waits(run, now)
  const more = between >= 1 ? `, and ${duration(between)} between attempts` : ''
  if (run.attempts.length === 0) return run.status === 'queued' ? `Queued, waiting for ${duration(first)}` : `Queued ${dateTime(run.created_at)}`
  return `Queued, waited ${first < 10 ? `${fixed(first, first < 1 ? 1 : 0)} s` : duration(first)}${more}`
}
