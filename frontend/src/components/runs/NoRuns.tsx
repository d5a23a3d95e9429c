import { useQuery } from '@tanstack/react-query'

import { runPageQuery } from '../../api/queries'
import { metricName, metricWithUnit } from '../../lib/format'
import { lossAsked } from '../../lib/runTable'
import { useLosses } from '../useLosses'
import classes from './RunFilter.module.css'

/** Nothing was found: what was asked, and the nearest that there is. */
export function NoRuns({ filter, experiment }: { filter?: string; experiment: number | null }) {
  const losses = useLosses()
  const loss = lossAsked(filter ?? '')
  const asked = { filter: ['has(rmse)', ...(loss ? [`loss = ${loss}`] : [])].join(' and '), sort: 'rmse' }
  const lowest = useQuery({ ...runPageQuery(experiment, asked), enabled: Boolean(filter) }).data?.items[0]
  const entry = losses.metric('rmse')
  if (!filter) return <p className={classes.none}>{experiment === null ? 'No run has been submitted yet.' : 'This experiment has no run yet.'}</p>
  return (
    <p className={classes.none}>
      No run matches <code>{filter}</code>.
      {lowest?.metrics?.rmse != null && entry && (
        <>
          {' '}
          The lowest {loss ? `${losses.title(loss)} ` : ''}
          {metricName(entry)} is {metricWithUnit(lowest.metrics.rmse, entry)}.
        </>
      )}
    </p>
  )
}
