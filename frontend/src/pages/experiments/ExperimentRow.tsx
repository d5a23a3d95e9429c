import { Checkbox } from '@mantine/core'
import { Link } from '@tanstack/react-router'

import type { ExperimentSummary } from '../../api/types'
import { Icon } from '../../components/icons'
import { lossLabel, LossGlyph } from '../../components/LossGlyph'
import { RunBar, RunWords, total } from '../../components/RunBar'
import { useLosses } from '../../components/useLosses'
import { useNow } from '../../components/useNow'
import { factorWords, isActive } from '../../lib/experiment'
import { ago, dateTime, duration, hours, metricWithUnit, percent, short } from '../../lib/format'
import { lossOfLabel } from '../../lib/losses'
import classes from './Experiments.module.css'
import { RowMenu } from './RowMenu'
import { Tags } from './Tags'

interface Props {
  item: ExperimentSummary
  offered: readonly string[]
  selected: boolean
  onToggle: () => void
}

/** What varies, how far, the best value, what it took, how long still: one row answers. */
export function ExperimentRow({ item, offered, selected, onToggle }: Props) {
  return (
    <tr className={classes.row} data-selected={selected || undefined}>
      <td className={classes.name}>
        <Checkbox className={classes.check} aria-label={`Select ${item.name}`} checked={selected} onChange={onToggle} tabIndex={-1} />
        <span className={classes.title}>
          <Link to="/experiments/$experimentId/$tab" params={{ experimentId: String(item.id), tab: 'overview' }} className={classes.link} data-experiment={item.id} title={item.name}>
            {item.name}
          </Link>
          {item.pinned && (
            <span className={classes.pinned} title="Pinned" role="img" aria-label="Pinned">
              <Icon name="pin" size={13} />
            </span>
          )}
        </span>
        <Varies item={item} offered={offered} />
      </td>
      <td className={classes.runs}>
        <RunBar counts={item.counts} />
        <span className="secondary">
          <RunWords counts={item.counts} />
          {item.paused && ' · paused'}
          {item.stalled > 0 && ` · ${item.stalled} stalled`}
        </span>
      </td>
      <td className={classes.bestCell}>
        <Best item={item} />
      </td>
      <td className={`right num ${classes.hours}`} title="From claim to end of every attempt, also of those that broke off">
        {hours(item.hours)}
      </td>
      <td className={`right ${classes.created} num`} title={dateTime(item.created_at)}>
        <Age item={item} />
        <RowMenu item={item} />
      </td>
    </tr>
  )
}

function Varies({ item, offered }: { item: ExperimentSummary; offered: readonly string[] }) {
  const losses = useLosses()
  const data = 'data.dataset' in item.factors ? '' : item.datasets.join(', ')
  return (
    <span className={`secondary ${classes.varies}`}>
      <span>
        {factorWords(item.factors, losses, total(item.counts))}
        {data && ` · ${data}`}
      </span>
      <Tags item={item} offered={offered} />
    </span>
  )
}

function Age({ item }: { item: ExperimentSummary }) {
  const now = useNow()
  const active = isActive(item.counts) && !item.paused
  return (
    <>
      {ago(item.created_at, now)}
      {active && <span className="secondary">{item.eta_seconds === null ? percent(item.progress) : `${duration(item.eta_seconds)} left`}</span>}
    </>
  )
}

interface BestRun {
  value: number
  loss: string
  train_size: number
  encoder: string
}

function Best({ item }: { item: ExperimentSummary }) {
  const losses = useLosses()
  if (!item.best) return <span className="secondary" title="Named among finished runs that did not diverge and were scored on the same images.">{item.counts.finished ? '–' : 'no value yet'}</span>
  const best = item.best as unknown as BestRun
  const name = lossOfLabel(best.loss)
  const words = [lossLabel(name, best.loss, losses.title), best.train_size > 0 && short(best.train_size), best.encoder && losses.encoder(best.encoder)].filter(Boolean).join(' · ')
  return (
    <>
      <span className={classes.best}>
        <LossGlyph name={name} />
        <b className="num">{metricWithUnit(best.value, { unit: 'm' })}</b>
      </span>
      <span className="secondary ellipsis" title={words}>
        {words}
      </span>
    </>
  )
}
