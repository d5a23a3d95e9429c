import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'

import { resultsQuery } from '../../api/queries'
import type { ResultRow } from '../../api/types'
import { ErrorPanel } from '../../components/ErrorPanel'
import { lossLabel, LossGlyph } from '../../components/LossGlyph'
import { useLosses } from '../../components/useLosses'
import { count, metric, spread } from '../../lib/format'
import { lowest } from '../../lib/results'
import classes from './Overview.module.css'
import type { TabProps } from './ExperimentPage'
import { selectorOf, useExperimentSearch } from './useExperimentSearch'

const METRES = { unit: 'm' }

/** The lowest error at each size beside the constant prediction: whether anything was learned, at a glance. */
export function LowestList({ experiment }: TabProps) {
  const [search] = useExperimentSearch()
  const query = useQuery(resultsQuery(experiment.id, selectorOf(search)))
  const groups = query.data ? lowest(query.data.rows, 'rmse') : []
  return (
    <section aria-label="Lowest RMSE so far" className={classes.lowest}>
      <div className={classes.head}>
        <h2 className="section">Lowest RMSE so far</h2>
        <span className="secondary">mean over seeds</span>
      </div>
      {query.error && !query.data && <ErrorPanel error={query.error} onRetry={() => void query.refetch()} />}
      {query.data && groups.length === 0 && <p className={classes.quiet}>No run has been evaluated yet.</p>}
      <ul>
        {groups.map((group) => (
          <Entry key={group.key} rows={group.rows} constant={group.constant} several={new Set(groups.map((g) => g.rows[0]!.dataset)).size > 1} />
        ))}
      </ul>
      {groups.length > 0 && (
        <p className={classes.quiet}>
        The smallest of several noisy numbers, not a verdict: with few seeds neighbours are tied.{' '}
        <Link from="/experiments/$experimentId/$tab" params={{ tab: 'results' }} search={(previous) => selectorOf(previous)} to="/experiments/$experimentId/$tab">
          All values
        </Link>
      </p>
      )}
    </section>
  )
}

function Entry({ rows, constant, several }: { rows: ResultRow[]; constant: ResultRow | null; several: boolean }) {
  const losses = useLosses()
  const [first, second] = rows
  if (!first) return null
  return (
    <li className={classes.entry}>
      <p className="row">
        <LossGlyph name={first.loss ?? ''} />
        <span>
          <b className="strong">{lossLabel(first.loss ?? '', first.label, losses.title)}</b> <span className="num">{metric(first.values.rmse, METRES)} m</span>{' '}
          <span className="secondary num">{spread(first.spread.rmse, METRES)}</span>
          {second && (
            <span className="secondary">
              {' '}
              then {lossLabel(second.loss ?? '', second.label, losses.title)} <span className="num">{metric(second.values.rmse, METRES)}</span>
            </span>
          )}
        </span>
      </p>
      <p className="secondary num">
        {several && `${first.dataset} · `}
        {count(first.train_size ?? 0)} images · {losses.encoder(first.encoder ?? '')} · n = {first.n}
        {constant?.values.rmse != null && ` · constant prediction ${metric(constant.values.rmse, METRES)} m`}
      </p>
    </li>
  )
}
