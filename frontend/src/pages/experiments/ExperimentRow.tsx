import { Link } from '@tanstack/react-router'

import type { ExperimentSummary } from '../../api/types'
import { LossGlyph } from '../../components/LossGlyph'
import { RunBar, RunWords, total } from '../../components/RunBar'
import { useLosses } from '../../components/useLosses'
import { useNow } from '../../components/useNow'
import { factorWords, isActive } from '../../lib/experiment'
import { ago, dateTime, duration, metricWithUnit, percent } from '../../lib/format'
import classes from './Experiments.module.css'

/** What varies, how far, the best value, how long still: one row answers. */
export function ExperimentRow({ item }: { item: ExperimentSummary }) {
  const losses = useLosses()
  const now = useNow()
  const active = isActive(item.counts)
  return (
    <tr className={classes.row}>
      <td className={classes.name}>
        <Link to="/experiments/$experimentId/$tab" params={{ experimentId: String(item.id), tab: 'overview' }} className={classes.link}>
          {item.name}
        </Link>
        <span className="secondary">
          {factorWords(item.factors, losses, total(item.counts))}
          {item.tags.map((tag) => (
            <Link key={tag} to="/" search={{ q: `#${tag}` }} className={classes.tag}>
              #{tag}
            </Link>
          ))}
        </span>
      </td>
      <td className={classes.runs}>
        <RunBar counts={item.counts} />
        <span className="secondary">
          <RunWords counts={item.counts} />
          {item.paused && ' · paused'}
          {item.stalled > 0 && ` · ${item.stalled} stalled`}
        </span>
      </td>
      <td>
        <Best item={item} />
      </td>
      <td className={`${classes.data} ${classes.muted}`}>{item.datasets.join(', ')}</td>
      <td className="right num">
        {active && !item.paused ? duration(item.eta_seconds) : '–'}
        {active && <span className="secondary">{percent(item.progress)}</span>}
      </td>
      <td className={`right ${classes.created} num`} title={dateTime(item.created_at)}>
        {ago(item.created_at, now)}
      </td>
    </tr>
  )
}

interface BestRun {
  value: number
  loss: string
  train_size?: number
  encoder?: string
}

function Best({ item }: { item: ExperimentSummary }) {
  const losses = useLosses()
  if (!item.best) return <span className="secondary" title="Named among finished runs that did not diverge and were scored on the same images.">{item.counts.finished ? '–' : 'no value yet'}</span>
  const best = item.best as unknown as BestRun
  return (
    <>
      <span className={classes.best}>
        <LossGlyph name={best.loss} />
        <b className="num">{metricWithUnit(best.value, { unit: 'm' })}</b>
      </span>
      <span className="secondary">{losses.title(best.loss)}</span>
    </>
  )
}
