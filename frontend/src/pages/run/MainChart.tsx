import { SegmentedControl, Select, Skeleton, Switch } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'

import { catalogueQuery, runFigureQuery, type FigureOptions } from '../../api/queries'
import type { RunDetail } from '../../api/types'
import { Chart } from '../../components/Chart'
import { ErrorPanel } from '../../components/ErrorPanel'
import { ExportMenu } from '../../components/ExportMenu'
import { useLosses } from '../../components/useLosses'
import { useScheme } from '../../components/useScheme'
import { ofRun } from '../../lib/export'
import { caption, heightOf } from '../../lib/figure'
import { metricTitle } from '../../lib/format'
import { axesOf, axisLabel } from '../../lib/script'
import type { RunSearch } from '../../router'
import classes from './Run.module.css'
import { axisOf, useRunSearch } from './useRunSearch'

const BANDS = [
  { value: 'minmax', label: 'Min–max' },
  { value: 'ci95', label: '95 % CI' },
  { value: 'none', label: 'None' },
]

/** The options of the run's figure as the API takes them; what is not said stays at its default. */
function optionsOf(run: RunDetail, search: RunSearch): FigureOptions {
  const { metric, averaging, band, y_log, from } = search
  const said = { metric, averaging, band, x: search.x && axisOf(run, search.x), y_log: y_log && 'true', experiment: from }
  return Object.fromEntries(Object.entries(said).flatMap(([key, value]) => (value ? [[key, String(value)]] : [])))
}

/** The run's metric, strong, over the band of the other seeds of its cell. The API draws it, as it draws every figure. */
export function MainChart({ run }: { run: RunDetail }) {
  const [search] = useRunSearch()
  const losses = useLosses()
  const scheme = useScheme()
  const options = optionsOf(run, search)
  const query = useQuery(runFigureQuery(run.id, scheme, options))
  const metric = losses.metric(search.metric ?? 'mae')
  const title = `${run.split} ${metric ? metricTitle(metric) : ''}`
  const words = caption(query.data)
  return (
    <section aria-label="Evaluation">
      <div className="spread">
        <h2 className={`section ${classes.capital}`}>{title}</h2>
        <ExportMenu source={ofRun(run.id)} options={options} />
      </div>
      <Controls run={run} />
      {query.error && <ErrorPanel error={query.error} onRetry={() => void query.refetch()} />}
      {query.isPending && <Skeleton height={350} animate={false} />}
      {query.data && <Chart key={`${search.metric} ${search.x} ${search.y_log}`} figure={query.data} height={heightOf(query.data)} label={`Evaluation of the run, ${title}`} />}
      {words && <p className="secondary">{words}</p>}
    </section>
  )
}

function Controls({ run }: { run: RunDetail }) {
  const [search, change] = useRunSearch()
  const axes = axesOf(run)
  const metrics = useQuery(catalogueQuery()).data?.metrics.filter((metric) => metric.group !== 'sharpness') ?? []
  return (
    <div className={classes.controls}>
      <Select
        aria-label="Metric"
        w={140}
        data={metrics.map((metric) => ({ value: metric.name, label: metricTitle(metric) }))}
        value={search.metric ?? 'mae'}
        onChange={(metric) => change({ metric: metric === 'mae' ? undefined : (metric ?? undefined) })}
      />
      <SegmentedControl
        aria-label="X axis"
        data={axes.map((axis) => ({ value: axis, label: axisLabel(axis) }))}
        value={axisOf(run, search.x)}
        onChange={(x) => change({ x: x === axes[0] ? undefined : x })}
      />
      <SegmentedControl
        aria-label="Average"
        data={[
          { value: 'per_image', label: 'Per image' },
          { value: 'pooled', label: 'Pooled' },
        ]}
        value={search.averaging ?? 'per_image'}
        onChange={(averaging) => change({ averaging: averaging === 'per_image' ? undefined : averaging })}
      />
      <Select aria-label="Band of the other seeds" w={106} data={BANDS} value={search.band ?? 'minmax'} onChange={(band) => change({ band: band === 'minmax' ? undefined : (band ?? undefined) })} />
      <Switch label="Log y" checked={search.y_log ?? false} onChange={(event) => change({ y_log: event.currentTarget.checked || undefined })} />
    </div>
  )
}
