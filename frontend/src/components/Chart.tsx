import { useEffect, useImperativeHandle, useRef, type Ref } from 'react'
import type { PlotElement } from 'plotly.js-cartesian-dist-min'

import { axisZoomText, withZoom, zoomOf, zoomUpdate, type AxisZoom } from '../lib/axisZoom'
import { axisEnds, fitLayout, panelBoxes, strength, type PanelBox, type PlotlyFigure, type Trace } from '../lib/figure'
import type { Observed } from '../lib/observed'
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
/** Its zoom is the page's: the wheel zooms, and a double click is told to the page. */
const ZOOM_CONFIG = { ...CHART_CONFIG, scrollZoom: true, doubleClick: false }

const WHOLE: AxisZoom = {}
const DIMMED = '0.25'
const BAND_LIFTED = '0.28'

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
  lifted?: Observed<string | null>
  /** what part of the axes is shown; the page keeps it where `onZoom` is given */
  zoom?: AxisZoom
  onZoom?: (zoom: AxisZoom) => void
  /** on a double click, where `onZoom` is given */
  onReset?: () => void
  /** after every drawing, zoom included */
  onDrawn?: () => void
  handle?: Ref<ChartHandle>
}

interface HoverEvent {
  points: { data: { legendgroup?: string } }[]
}

type Handlers = { current: Pick<Props, 'lifted' | 'onDrawn' | 'onZoom' | 'onReset'> & { figure: PlotlyFigure; zoom: AxisZoom } }

export const load = () => import('./plotly').then((module) => module.default)

/** A Plotly figure: drawn once, then brought up to date in place, so that a reader's zoom survives new data. */
export function Chart({ figure, height, label, still = false, lifted, zoom = WHOLE, onZoom, onReset, onDrawn, handle }: Props) {
  const host = useRef<HTMLDivElement>(null)
  const drawn = useRef<PlotElement | null>(null)
  const latest: Handlers = useRef({ lifted, onDrawn, onZoom, onReset, figure, zoom })
  latest.current = { lifted, onDrawn, onZoom, onReset, figure, zoom }
  const config = still ? SMALL_CONFIG : onZoom ? ZOOM_CONFIG : CHART_CONFIG

  useEffect(() => {
    let gone = false
    // Plotly writes into what it is given; the figure belongs to the cache.
    const { data, layout } = structuredClone(figure)
    void load().then(async (plotly) => {
      if (gone || !host.current) return
      const fitted = fitLayout(withZoom(layout, latest.current.zoom), height)
      const element = await plotly.react(host.current, data, fitted, config)
      if (gone) return
      if (!drawn.current) listen(element, latest)
      drawn.current = element
      latest.current.onDrawn?.()
    })
    return () => {
      gone = true
    }
  }, [figure, height, config])

  useEffect(() => {
    const element = drawn.current
    if (!element || !latest.current.onZoom) return
    const update = zoomUpdate(figure.layout, element._fullLayout, zoom)
    if (Object.keys(update).length > 0) void load().then((plotly) => drawn.current && plotly.relayout(element, update))
  }, [zoom, figure])

  useEffect(() => {
    const element = host.current!
    const observer = new ResizeObserver(() => void (drawn.current && load().then((plotly) => drawn.current && plotly.Plots.resize(element))))
    observer.observe(element)
    // A wheel that merely passes over the chart scrolls the page.
    const passing = (event: WheelEvent) => !event.ctrlKey && !event.metaKey && event.stopPropagation()
    element.addEventListener('wheel', passing, { capture: true })
    return () => {
      observer.disconnect()
      element.removeEventListener('wheel', passing, { capture: true })
      if (drawn.current) void load().then((plotly) => plotly.purge(element))
      drawn.current = null
    }
  }, [])

  useEffect(() => lifted?.subscribe(() => drawn.current && lift(drawn.current, lifted.get())), [lifted])

  useImperativeHandle(handle, () => ({ panels: () => (drawn.current ? panelBoxes(drawn.current._fullLayout, axisEnds(figure)) : []) }), [figure])

  return <div ref={host} className={classes.chart} style={{ height }} role="figure" aria-label={label} />
}

function listen(element: PlotElement, latest: Handlers) {
  element.on('plotly_hover', (event: HoverEvent) => latest.current.lifted?.set(event.points[0]?.data.legendgroup ?? null))
  element.on('plotly_unhover', () => latest.current.lifted?.set(null))
  element.on('plotly_afterplot', () => {
    lift(element, latest.current.lifted?.get() ?? null)
    latest.current.onDrawn?.()
  })
  element.on('plotly_doubleclick', () => latest.current.onReset?.())
  element.on('plotly_relayout', () => {
    const { onZoom, figure, zoom } = latest.current
    const now = zoomOf(figure.layout, element._fullLayout)
    if (onZoom && axisZoomText(now) !== axisZoomText(zoom)) onZoom(now)
  })
}

/** By the style of what is drawn, which takes a tenth of drawing it again. */
function lift(element: PlotElement, group: string | null) {
  for (const node of element.querySelectorAll<SVGGElement>('.scatterlayer .trace')) {
    const trace = (node as unknown as { __data__?: { trace?: Trace & { opacity?: number } }[] }).__data__?.[0]?.trace
    if (!trace) continue
    const how = strength(trace.legendgroup, group)
    node.style.opacity = how === 'dimmed' ? DIMMED : String(trace.opacity ?? 1)
    if (trace.meta?.role === 'band') liftBand(node, how === 'lifted')
  }
}

function liftBand(node: SVGGElement, lifted: boolean) {
  const fill = node.querySelector<SVGPathElement>('.fills path')
  if (!fill) return
  fill.dataset.own ??= fill.style.fillOpacity
  fill.style.fillOpacity = lifted ? BAND_LIFTED : fill.dataset.own
}
