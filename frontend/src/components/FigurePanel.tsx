import { Skeleton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useMemo, useState, type HTMLAttributes, type ReactNode, type Ref } from 'react'

import { figureQuery, type FigureOptions } from '../api/queries'
import { caption, heightOf, withoutLegend, type PlotlyFigure } from '../lib/figure'
import { Chart, type ChartHandle } from './Chart'
import { ErrorPanel } from './ErrorPanel'
import classes from './FigurePanel.module.css'
import { useScheme } from './useScheme'

interface Props {
  experimentId: number
  name: string
  title: string
  options: FigureOptions
  /** drawn over the chart, in its coordinates */
  overlay?: ReactNode
  /** drawn under the chart, from its data */
  renderBelow?: (figure: PlotlyFigure) => ReactNode
  /** false: what is drawn under the chart is its legend */
  legend?: boolean
  chart?: Ref<ChartHandle>
  lifted?: string | null
  onLift?: (group: string | null) => void
  onDrawn?: () => void
  /** handlers of the chart's frame */
  stage?: HTMLAttributes<HTMLDivElement>
}

/** A figure of the API in full: the chart, what the page adds to it, and its caption. */
export function FigurePanel({ experimentId, name, title, options, overlay, renderBelow, legend = true, chart, lifted, onLift, onDrawn, stage }: Props) {
  const scheme = useScheme()
  const query = useQuery(figureQuery(experimentId, name, scheme, options))
  const drawn = useMemo(() => query.data && (legend ? query.data : withoutLegend(query.data)), [query.data, legend])
  const [own, setOwn] = useState<string | null>(null)
  if (query.error && !query.data) return <ErrorPanel error={query.error} onRetry={() => void query.refetch()} />
  if (!query.data || !drawn) return <Skeleton height={420} radius="sm" animate={false} aria-label={`${title} is loading`} />
  const words = caption(query.data)
  return (
    <figure className={classes.figure}>
      {query.error && <ErrorPanel error={query.error} onRetry={() => void query.refetch()} what="The figure could not be brought up to date." />}
      <div className={classes.stage} {...stage}>
        <Chart figure={drawn} height={heightOf(drawn)} label={title} handle={chart} lifted={lifted ?? own} onLift={onLift ?? setOwn} onDrawn={onDrawn} />
        {overlay}
      </div>
      {renderBelow?.(query.data)}
      {words && <figcaption className={classes.caption}>{words}</figcaption>}
    </figure>
  )
}
