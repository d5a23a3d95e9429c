import { useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'

import { stretchQuery } from '../../api/queries'
import type { RunDetail, Series } from '../../api/types'
import { Chart } from '../../components/Chart'
import { useLosses } from '../../components/useLosses'
import type { AxisZoom } from '../../lib/axisZoom'
import { partTitle, positions, withStretch, type Axis } from '../../lib/curves'
import { isScript } from '../../lib/script'
import { NOTHING, resumedAfter, trainingFigure } from '../../lib/trainingFigure'
import { InView } from './InView'
import classes from './Run.module.css'
import { useLook } from './useRunSearch'

export const PART_HEIGHT = 160
const WHOLE: AxisZoom = {}

/** One logged key; zoomed in, a thinned curve gets the points that it lacks there. */
export function Part({ name, series, weight, run }: { name: string; series: Series; weight: number; run: RunDetail }) {
  const losses = useLosses()
  const look = useLook(run)
  const { attempts } = run
  const [zoom, setZoom] = useState<AxisZoom>(WHOLE)
  const closer = useCloser(run.id, name, series, look.axis, zoom.x ?? null)
  const steady = name === 'train/lr'
  const figure = useMemo(() => trainingFigure(closer, steady ? 0 : weight, look, { resumed: resumedAfter(attempts) }), [closer, steady, weight, look, attempts])
  const title = isScript(run) ? name : partTitle(name, run.loss, losses.title)
  return (
    <figure className={classes.part}>
      <figcaption className="spread">
        <b className="strong ellipsis" title={name}>
          {title}
        </b>
        <span className="num">{lastWords(series)}</span>
      </figcaption>
      <InView height={PART_HEIGHT}>
        <Chart key={look.axis} figure={figure} height={PART_HEIGHT} label={`${title} over training`} zoom={zoom} onZoom={setZoom} onReset={() => setZoom(WHOLE)} />
      </InView>
    </figure>
  )
}

/** The series with more of its points between the ends of the zoom, once they are here. */
function useCloser(run: number, name: string, series: Series, axis: Axis, zoom: readonly [number, number] | null): Series {
  const inside = zoom && stepsIn(series, axis, zoom)
  const thinned = series.points > series.step.length
  const query = useQuery({ ...stretchQuery(run, name, (inside?.[0] ?? 0) - 1, inside?.[1] ?? 0, axis === 'hours'), enabled: thinned && inside !== null })
  return useMemo(() => (query.data && inside ? withStretch(series, query.data) : series), [query.data, series, inside?.[0], inside?.[1]])
}

/** The steps between the ends of the zoom, and one known point more on both sides; null where that is the whole curve. */
function stepsIn(series: Series, axis: Axis, [low, high]: readonly [number, number]): [number, number] | null {
  const x = positions(series, axis)
  const first = Math.max(0, x.findIndex((value) => value !== null && value >= low) - 1)
  const last = Math.min(x.length - 1, x.findLastIndex((value) => value !== null && value <= high) + 1)
  if (first === 0 && last === x.length - 1) return null
  return first <= last ? [series.step[first]!, series.step[last]!] : null
}

export function lastWords(series: Series): string {
  const last = series.value.at(-1)
  return last == null ? (series.nonfinite.at(-1)?.[1] ?? '') : short(Math.abs(last) < NOTHING ? 0 : last)
}

function short(value: number): string {
  return Number(value.toPrecision(3)).toString().replace('-', '−')
}
