import type { RunDetail } from '../../api/types'
import { StateGlyph } from '../../components/StateGlyph'
import { useNow } from '../../components/useNow'
import { ago, count, duration, parseTime } from '../../lib/format'
import type { CellState } from '../../lib/grid'
import { isScript } from '../../lib/script'
import classes from './Run.module.css'

type Attempt = RunDetail['attempts'][number]

const GLYPHS: Record<string, CellState> = { finished: 'done', failed: 'failed', lost: 'failed', cancelled: 'cancelled', queued: 'queued' }

const OUTCOMES: Record<string, string> = { finished: 'done', failed: 'failed', lost: 'lost its worker', cancelled: 'cancelled', queued: 'given back' }

/** Who tried, where, and how it ended; the latest on top. */
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
          <li key={attempt.attempt}>
            <StateGlyph state={attempt.ended_at ? (GLYPHS[attempt.outcome ?? ''] ?? 'queued') : 'running'} progress={run.step / Math.max(1, run.steps)} />
            <div>
              <p>
                <b className="strong">Attempt {attempt.attempt}</b> {attemptWords(attempt, now)}
              </p>
              <p className="secondary">
                {[attempt.host, attempt.device].filter(Boolean).join(' · ')}
                {fromWords(attempt, isScript(run))}
              </p>
              {attempt.reason && <p className="secondary">{attempt.reason}</p>}
            </div>
          </li>
        ))}
        <li>
          <StateGlyph state="queued" />
          <p className="secondary">{isScript(run) ? 'First heard of' : 'Queued'} {ago(run.created_at, now)}</p>
        </li>
      </ol>
    </section>
  )
}

function attemptWords(attempt: Attempt, now: number): string {
  const seconds = ((attempt.ended_at ? parseTime(attempt.ended_at) : now) - parseTime(attempt.started_at)) / 1000
  return attempt.ended_at ? `${OUTCOMES[attempt.outcome ?? ''] ?? 'ended'} after ${duration(seconds)}` : `running for ${duration(seconds)}`
}

function fromWords({ attempt, resumed_from }: Attempt, script: boolean): string {
  if (!resumed_from) return attempt > 1 ? ', from the start' : ''
  return script ? `, from step ${count(resumed_from)}` : `, from the checkpoint at step ${count(resumed_from - 1)}`
}
