import { useQuery } from '@tanstack/react-query'

import { curvesQuery } from '../../api/queries'
import type { RunDetail } from '../../api/types'
import { Sparkline } from '../../components/Sparkline'
import { resources, type Resource } from '../../lib/resources'
import { axisOf, useRunSearch } from './useRunSearch'
import classes from './Run.module.css'

/** What the run took of its machine, every quarter of a minute of it. */
export function Resources({ run }: { run: RunDetail }) {
  const [search] = useRunSearch()
  const rows = resources(useQuery(curvesQuery(run.id, axisOf(run, search.x) === 'hours')).data)
  if (rows.length === 0) return null
  const attempt = run.attempts.at(-1)
  const machines = [...new Set(rows.map((row) => row.of))]
  return (
    <section aria-label="Resource use">
      {machines.map((of, i) => (
        <div key={of}>
          <div className="spread">
            <h2 className="section ellipsis">{[attempt?.host, of || (i === 0 ? '' : 'process')].filter(Boolean).join(' · ')}</h2>
            <span className="secondary ellipsis">{of || i === 0 ? attempt?.device : ''}</span>
          </div>
          <dl className={classes.resources}>
            {rows.filter((row) => row.of === of).map((row) => (
              <Row key={row.key} row={row} />
            ))}
          </dl>
        </div>
      ))}
      <p className="secondary">{run.status === 'running' ? 'Over the run so far' : 'Over the run'}, every 15 s. 100 % of CPU is one core.</p>
    </section>
  )
}

function Row({ row }: { row: Resource }) {
  return (
    <div title={`${row.key}, drawn from 0 to ${Math.round(row.full)}`}>
      <dt>{row.name}</dt>
      <dd>
        <Sparkline values={row.values} full={row.full} width={130} height={24} label={`${row.of} ${row.name} over the run`} />
      </dd>
      <dd className="num strong right">{row.now}</dd>
    </div>
  )
}
