import { useEffect, useImperativeHandle, useRef, type Ref } from 'react'
import type { PlotElement } from 'plotly.js-cartesian-dist-min'

import { axisEnds, fitLayout, lift, panelBoxes, type PanelBox, type PlotlyFigure } from '../lib/figure'
import classes from './Chart.module.css'

/** Plotly's own toolbar would offer to send the chart to an outside server. */
export const CHART_CONFIG = {
  displaylogo: false,
  showSendToCloud: false,
  responsive: false,
  scrollZoom: false,
  displayModeBar: 'hover',
  modeBarButtonsToRemove: ['select2d', 'lasso2d', 'toImage', 'autoScale2d'],
} as const

const SMALL_CONFIG = { ...CHART_CONFIG, displayModeBar: false, staticPlot: true }

export interface ChartHandle {
  /** where the panels lie inside the chart, in px */
  panels: () => PanelBox[]
}

interface Props {
  figure: PlotlyFigure
  height: number
  /** what a screen reader calls the chart */
  label: string
  /** neither zoom nor hover: a preview */
  still?: boolean
  /** the group (a loss) that stands out while the others recede */
  lifted?: string | null
  onLift?: (group: string | null) => void
  /** what of the x axis is shown; null: all of it */
  onZoom?: (range: [number, number] | null) => void
  /** after every drawing, zoom included */
  onDrawn?: () => void
  handle?: Ref<ChartHandle>
}

interface HoverEvent {
  points: { data: { legendgroup?: string } }[]
}

const load = () => import('./plotly').then((module) => module.default)

/** A Plotly figure: drawn once, then brought up to date in place, so that a reader's zoom survives new data. */
export function Chart({ figure, height, label, still = false, lifted = null, onLift, onZoom, onDrawn, handle }: Props) {
  const host = useRef<HTMLDivElement>(null)
  const drawn = useRef<PlotElement | null>(null)
  const handlers = useRef({ onLift, onZoom, onDrawn })
  handlers.current = { onLift, onZoom, onDrawn }

  useEffect(() => {
    let gone = false
    // Plotly writes into what it is given; the figure belongs to the cache.
    const { data, layout } = structuredClone(figure)
    void load().then(async (plotly) => {
      if (gone || !host.current) return
      const element = await plotly.react(host.current, data, fitLayout(layout, height), still ? SMALL_CONFIG : CHART_CONFIG)
      if (gone) return
      if (!drawn.current) listen(element, handlers)
      drawn.current = element
      handlers.current.onDrawn?.()
    })
    return () => {
      gone = true
    }
  }, [figure, height, still])

  useEffect(() => {
    const element = host.current!
    const observer = new ResizeObserver(() => void (drawn.current && load().then((plotly) => drawn.current && plotly.Plots.resize(element))))
    observer.observe(element)
    return () => {
      observer.disconnect()
      if (drawn.current) void load().then((plotly) => plotly.purge(element))
      drawn.current = null
    }
  }, [])

  useEffect(() => {
    const element = drawn.current
    if (element) void load().then((plotly) => drawn.current && plotly.restyle(element, { opacity: lift(figure.data, lifted) }))
  }, [lifted, figure])

  useImperativeHandle(handle, () => ({ panels: () => (drawn.current ? panelBoxes(drawn.current._fullLayout, axisEnds(figure)) : []) }), [figure])

  return <div ref={host} className={classes.chart} style={{ height }} role="figure" aria-label={label} />
}

function listen(element: PlotElement, handlers: { current: Pick<Props, 'onLift' | 'onZoom' | 'onDrawn'> }) {
  element.on('plotly_hover', (event: HoverEvent) => handlers.current.onLift?.(event.points[0]?.data.legendgroup ?? null))
  element.on('plotly_unhover', () => handlers.current.onLift?.(null))
  element.on('plotly_relayout', (change: Record<string, unknown>) => {
    const [low, high] = [change['xaxis.range[0]'], change['xaxis.range[1]']]
    if (typeof low === 'number' && typeof high === 'number') handlers.current.onZoom?.([low, high])
    else if (change['xaxis.autorange'] === true) handlers.current.onZoom?.(null)
  })
  element.on('plotly_afterplot', () => handlers.current.onDrawn?.())
}
