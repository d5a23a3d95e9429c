import { Skeleton, SegmentedControl, Select, Slider, Switch } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useMemo } from 'react'

import { catalogueQuery, curvesQuery, evaluationsQuery } from '../../api/queries'
import type { EvaluationEntry, RunDetail, Series } from '../../api/types'
import { Chart } from '../../components/Chart'
import { ErrorPanel } from '../../components/ErrorPanel'
import { useLosses } from '../../components/useLosses'
import { useScheme } from '../../components/useScheme'
import { curveOrder, partTitle, type Axis } from '../../lib/curves'
import { count, fixed, metricTitle, metricWithUnit, parseTime } from '../../lib/format'
import { evaluationFigure, isOwn, resumedOf, trainingFigure } from '../../lib/runFigure'
import { axesOf, axisLabel, isScript } from '../../lib/script'
import { runRoute, type RunSearch } from '../../router'
import classes from './Run.module.css'

const DEFAULT_SMOOTHING = 0.8

function useRunSearch(): [RunSearch, (patch: Partial<RunSearch>) => void] {
  const search = runRoute.useSearch()
  const { runId } = runRoute.useParams()
  const navigate = useNavigate()
  return [search, (patch) => void navigate({ to: '/runs/$runId', params: { runId }, search: (old: RunSearch) => ({ ...old, ...patch }), replace: true, resetScroll: false })]
}

function useLook(run: RunDetail) {
  const [search] = useRunSearch()
  const scheme = useScheme()
  const axis = axisOf(run, search.x)
  const origin = run.started_at ? parseTime(run.started_at) / 1000 : 0
  return useMemo(() => ({ scheme, axis, origin, logY: search.y_log ?? false }), [scheme, axis, origin, search.y_log])
}

/** The axis that was chosen, where the run has it. */
function axisOf(run: RunDetail, chosen: string | undefined): Axis {
  const axes = axesOf(run)
  return axes.find((axis) => axis === chosen) ?? axes[0]!
}

/** The evaluation metric large, the parts of the training loss small beneath; both grow while the run goes on. */
export function Curves({ run }: { run: RunDetail }) {
  return (
    <>
      <Controls run={run} />
      {!isScript(run) && <Evaluations run={run} />}
      <Training run={run} />
    </>
  )
}

function Controls({ run }: { run: RunDetail }) {
  const [search, change] = useRunSearch()
  const axes = axesOf(run)
  const metrics = useQuery(catalogueQuery()).data?.metrics.filter((metric) => metric.group !== 'sharpness') ?? []
  return (
    <div className={classes.controls}>
      {!isScript(run) && (
        <Select
          aria-label="Metric"
          w={130}
          data={metrics.map((metric) => ({ value: metric.name, label: metricTitle(metric) }))}
          value={search.metric ?? 'mae'}
          onChange={(metric) => change({ metric: metric === 'mae' ? undefined : (metric ?? undefined) })}
        />
      )}
      <SegmentedControl
        aria-label="X axis"
        data={axes.map((axis) => ({ value: axis, label: axisLabel(axis) }))}
        value={axisOf(run, search.x)}
        onChange={(x) => change({ x: x === axes[0] ? undefined : x })}
      />
      {!isScript(run) && (
        <SegmentedControl
          aria-label="Average"
          data={[
            { value: 'per_image', label: 'Per image' },
            { value: 'pooled', label: 'Pooled' },
          ]}
          value={search.averaging ?? 'per_image'}
          onChange={(averaging) => change({ averaging: averaging === 'per_image' ? undefined : averaging })}
        />
      )}
      <Switch label="Log y" checked={search.y_log ?? false} onChange={(event) => change({ y_log: event.currentTarget.checked || undefined })} />
    </div>
  )
}

function Evaluations({ run }: { run: RunDetail }) {
  const [search] = useRunSearch()
  const losses = useLosses()
  const query = useQuery(evaluationsQuery(run.id))
  const look = useLook(run)
  const metric = losses.metric(search.metric ?? 'mae')
  const averaging = search.averaging === 'pooled' ? 'pooled' : 'per_image'
  const { attempts, constant, loss } = run
  const own = useMemo(() => query.data?.filter((row) => isOwn(row, run)), [query.data, run])
  const figure = useMemo(() => {
    if (!own || !metric) return null
    return evaluationFigure(own, metric, averaging, losses.token(loss), { constant: constantValue(constant, own, metric.name, averaging), resumed: resumedOf(attempts) }, look)
  }, [own, metric, averaging, look, attempts, constant, loss, losses])
  const last = own?.findLast((row) => row.predictor === 'network')
  return (
    <section aria-label="Evaluation">
      <div className="spread">
        <h2 className="section">
          {run.split} {metric ? metricTitle(metric) : ''} <span className={classes.quiet}>{run.protocol}</span>
        </h2>
        {last && (
          <span className="secondary num">
            {metricWithUnit(last[averaging][metric?.name ?? 'mae'], metric)} at epoch {fixed(last.epoch, 1)}, {count(last.images)} images
          </span>
        )}
      </div>
      {query.error && !query.data && <ErrorPanel error={query.error} onRetry={() => void query.refetch()} />}
      {query.isPending && <Skeleton height={260} animate={false} />}
      {figure && (last ? <Chart figure={figure} height={260} label={`Evaluation of the run, ${metric?.title}`} /> : <p className={classes.none}>The first evaluation has not come yet.</p>)}
    </section>
  )
}

/** The constant prediction by the same averaging: its own evaluation where it is stored, else what the run says. */
function constantValue(known: RunDetail['constant'], evaluations: readonly EvaluationEntry[], metric: string, averaging: 'per_image' | 'pooled'): number | null {
  const stored = evaluations.find((row) => row.predictor === 'constant')
  return stored?.[averaging][metric] ?? (averaging === 'per_image' ? (known?.[metric] ?? null) : null)
}

function Training({ run }: { run: RunDetail }) {
  const [search, change] = useRunSearch()
  const query = useQuery(curvesQuery(run.id))
  const weight = search.smoothing ?? DEFAULT_SMOOTHING
  const keys = useMemo(() => (query.data ? curveOrder(query.data) : []), [query.data])
  if (query.error && !query.data) return <ErrorPanel error={query.error} onRetry={() => void query.refetch()} />
  const points = Math.max(0, ...keys.map((key) => query.data!.series[key]!.step.length))
  return (
    <section aria-label="Training">
      <div className="spread">
        <h2 className="section">{isScript(run) ? 'Curves' : 'Training'}</h2>
        <span className={classes.smoothing}>
          <span className="secondary num">{points < run.step ? `${count(points)} of ${count(run.step)} steps drawn` : `all ${count(points)} steps drawn`}</span>
          <span className="secondary">Smoothing</span>
          <Slider
            w={110}
            aria-label="Smoothing"
            thumbLabel="Smoothing"
            label={null}
            min={0}
            max={0.99}
            step={0.01}
            value={weight}
            onChange={(value) => change({ smoothing: value === DEFAULT_SMOOTHING ? undefined : value })}
          />
          <span className="secondary num">{fixed(weight, 2)}</span>
        </span>
      </div>
      {query.isPending && <Skeleton height={150} animate={false} />}
      {query.data && keys.length === 0 && <p className={classes.none}>The first step has not been logged yet.</p>}
      <div className={classes.parts}>
        {keys.map((key) => (
          <Part key={key} name={key} series={query.data!.series[key]!} weight={key === 'train/lr' ? 0 : weight} run={run} />
        ))}
      </div>
    </section>
  )
}

function Part({ name, series, weight, run }: { name: string; series: Series; weight: number; run: RunDetail }) {
  const losses = useLosses()
  const look = useLook(run)
  const { attempts } = run
  const figure = useMemo(() => trainingFigure(series, weight, look, resumedOf(attempts)), [series, weight, look, attempts])
  const title = partTitle(name, run.loss, losses.title)
  const last = series.value.at(-1)
  return (
    <figure className={classes.part}>
      <figcaption className="spread">
        <b className="strong">{title}</b>
        <span className="num">{last == null ? (series.nonfinite.at(-1)?.[1] ?? '') : short(last)}</span>
      </figcaption>
      <Chart figure={figure} height={150} label={`${title} over training`} />
    </figure>
  )
}

function short(value: number): string {
  return Number(value.toPrecision(3)).toString().replace('-', '−')
}
