import { SegmentedControl, Skeleton, Switch, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'

import { curvesQuery } from '../../api/queries'
import type { RunCurves, RunDetail } from '../../api/types'
import { ErrorPanel } from '../../components/ErrorPanel'
import { Icon } from '../../components/icons'
import { SmoothingSlider } from '../../components/SmoothingSlider'
import { curveOrder } from '../../lib/curves'
import { count, plural } from '../../lib/format'
import { axesOf, axisLabel, isScript } from '../../lib/script'
import { Balance } from './Balance'
import { lastWords, Part } from './Part'
import classes from './Run.module.css'
import { axisOf, useRunSearch } from './useRunSearch'

const DEFAULT_SMOOTHING = 0.8
const SCORES = ['train/loss/gan_score_real', 'train/loss/gan_score_fake'] as const
/** More curves than this can be searched. */
const SEARCHED = 8

/** What the run logged, a small chart a key: of a training the parts of its loss, of a script whatever it said. */
export function Parts({ run }: { run: RunDetail }) {
  const [search, change] = useRunSearch()
  const script = isScript(run)
  const query = useQuery(curvesQuery(run.id, axisOf(run, search.x) === 'hours'))
  const weight = search.smoothing ?? DEFAULT_SMOOTHING
  const smooth = (value: number) => change({ smoothing: value === DEFAULT_SMOOTHING ? undefined : value })
  const keys = useMemo(() => (query.data ? curveOrder(query.data) : []), [query.data])
  const wanted = (search.curves ?? '').toLowerCase().split(/\s+/).filter(Boolean)
  const found = keys.filter((key) => wanted.every((word) => key.toLowerCase().includes(word)))
  const shown = script ? found : found.filter((key) => !SCORES.includes(key as never))
  const single = (key: string) => script && run.status !== 'running' && query.data!.series[key]!.points === 1
  if (query.error && !query.data) return <ErrorPanel error={query.error} onRetry={() => void query.refetch()} />
  return (
    <section aria-label="Training">
      <div className="spread">
        <h2 className="section">{script ? 'Curves' : shown.length > 1 ? 'Parts of the loss' : 'Training loss'}</h2>
        <span className={classes.smoothing}>
          {query.data && <span className="secondary num">{thinnedWords(query.data, keys)}</span>}
          <SmoothingSlider weight={weight} onMove={smooth} onChoose={smooth} />
        </span>
      </div>
      {script && <ScriptControls run={run} total={keys.length} found={found.length} />}
      {query.isPending && <Skeleton height={150} animate={false} />}
      {query.data && keys.length === 0 && <p className={classes.none}>The first step has not been logged yet.</p>}
      {query.data && keys.length > 0 && found.length === 0 && <p className={classes.none}>No curve is called {search.curves}.</p>}
      <div className={classes.parts}>
        {shown.filter((key) => !single(key)).map((key) => (
          <Part key={key} name={key} series={query.data!.series[key]!} weight={weight} run={run} />
        ))}
        {!script && query.data && <BalanceOf curves={query.data} weight={weight} run={run} />}
      </div>
      <Singles keys={shown.filter(single)} curves={query.data} />
    </section>
  )
}

/** What a script said once is a value and no curve. */
function Singles({ keys, curves }: { keys: string[]; curves: RunCurves | undefined }) {
  if (keys.length === 0 || !curves) return null
  return (
    <>
      <p className={`secondary ${classes.singles}`}>Said once</p>
      <dl className={classes.values}>
        {keys.map((key) => (
          <div key={key}>
            <dt className="ellipsis" title={key}>
              {key}
            </dt>
            <dd className="num">
              {lastWords(curves.series[key]!)} <span className="secondary">at step {count(curves.series[key]!.step[0]!)}</span>
            </dd>
          </div>
        ))}
      </dl>
    </>
  )
}

function BalanceOf({ curves, weight, run }: { curves: RunCurves; weight: number; run: RunDetail }) {
  const [real, fake] = SCORES.map((key) => curves.series[key])
  return real && fake ? <Balance real={real} fake={fake} weight={weight} run={run} /> : null
}

function ScriptControls({ run, total, found }: { run: RunDetail; total: number; found: number }) {
  const [search, change] = useRunSearch()
  const axes = axesOf(run)
  return (
    <div className={classes.controls}>
      {total > SEARCHED && (
        <TextInput
          aria-label="Find a curve"
          placeholder="Find a curve"
          w={200}
          leftSection={<Icon name="search" size={14} />}
          value={search.curves ?? ''}
          onChange={(event) => change({ curves: event.currentTarget.value || undefined })}
        />
      )}
      <SegmentedControl
        aria-label="X axis"
        data={axes.map((axis) => ({ value: axis, label: axisLabel(axis) }))}
        value={axisOf(run, search.x)}
        onChange={(x) => change({ x: x === axes[0] ? undefined : x })}
      />
      <Switch label="Log y" checked={search.y_log ?? false} onChange={(event) => change({ y_log: event.currentTarget.checked || undefined })} />
      <span className="secondary num">{found < total ? `${count(found)} of ${plural(total, 'curve')}` : plural(total, 'curve')}</span>
    </div>
  )
}

/** Of the longest curve: how many of its points are drawn. */
function thinnedWords(curves: RunCurves, keys: readonly string[]): string {
  const longest = keys.map((key) => curves.series[key]!).toSorted((a, b) => b.points - a.points)[0]
  if (!longest) return ''
  const drawn = longest.step.length
  return drawn < longest.points ? `${count(drawn)} of ${count(longest.points)} points drawn, zoom in for more` : `all ${plural(drawn, 'point')} drawn`
}
