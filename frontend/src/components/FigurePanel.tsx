import { Skeleton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useMemo, type HTMLAttributes, type ReactNode, type Ref } from 'react'

import { figureQuery, type FigureOptions } from '../api/queries'
import type { AxisZoom } from '../lib/axisZoom'
import { caption, heightOf, withoutLegend, type PlotlyFigure } from '../lib/figure'
import type { Observed } from '../lib/observed'
import { Chart, load, type ChartHandle } from './Chart'
import { ErrorPanel } from './ErrorPanel'
import classes from './FigurePanel.module.css'
import { useNewObserved } from './useObserved'
import { useScheme } from './useScheme'

interface Props {
  experimentId: number
  name: string
  title: string
  options: FigureOptions
  /** for the eye: smoothing, hidden lines; the same function as long as it does the same */
  transform?: (figure: PlotlyFigure) => PlotlyFigure
  /** drawn over the chart, in its coordinates */
  overlay?: (figure: PlotlyFigure) => ReactNode
  /** drawn under the chart, from its data as it came */
  renderBelow?: (figure: PlotlyFigure) => ReactNode
  /** false: what is drawn under the chart is its legend */
  legend?: boolean
  chart?: Ref<ChartHandle>
  lifted?: Observed<string | null>
  zoom?: AxisZoom
  onZoom?: (zoom: AxisZoom) => void
  onReset?: () => void
  onDrawn?: () => void
  /** handlers of the chart's frame */
  stage?: HTMLAttributes<HTMLDivElement>
}

/** A figure of the API in full: the chart, what the page adds to it, and its caption. */
export function FigurePanel({ experimentId, name, title, options, transform, overlay, renderBelow, legend = true, chart, lifted, zoom, onZoom, onReset, onDrawn, stage }: Props) {
  const scheme = useScheme()
  const query = useQuery(figureQuery(experimentId, name, scheme, options))
  // Plotly is read while the server draws.
  useEffect(() => void load(), [])
  const drawn = useMemo(() => {
    const whole = query.data && (legend ? query.data : withoutLegend(query.data))
    return whole && transform ? transform(whole) : whole
  }, [query.data, legend, transform])
  const own = useNewObserved<string | null>(null)
  if (query.error && !query.data) return <ErrorPanel error={query.error} onRetry={() => void query.refetch()} />
  if (!query.data || !drawn) return <Skeleton height={420} radius="sm" animate={false} aria-label={`${title} is loading`} />
  const words = caption(drawn)
  return (
    <figure className={classes.figure}>
      {query.error && <ErrorPanel error={query.error} onRetry={() => void query.refetch()} what="The figure could not be brought up to date." />}
      <div className={classes.stage} {...stage}>
        <Chart figure={drawn} height={heightOf(drawn)} label={title} handle={chart} lifted={lifted ?? own} zoom={zoom} onZoom={onZoom} onReset={onReset} onDrawn={onDrawn} />
        {overlay?.(query.data)}
      </div>
      {renderBelow?.(query.data)}
      {words && <figcaption className={classes.caption}>{words}</figcaption>}
    </figure>
  )
}
