import { useCallback, useDeferredValue, useMemo, useRef, useState } from 'react'

import type { FigureOptions } from '../../api/queries'
import type { ChartHandle } from '../../components/Chart'
import { FigurePanel } from '../../components/FigurePanel'
import { useNewObserved } from '../../components/useObserved'
import { synced, wholeAxes, type AxisZoom } from '../../lib/axisZoom'
import type { Align } from '../../lib/crosshair'
import { panelValues, type PanelBox, type PlotlyFigure } from '../../lib/figure'
import { hiddenOf, withoutHidden, type Shown } from '../../lib/shown'
import { parseWeight, smoothed } from '../../lib/smoothing'
import { ConvergenceControls } from './ConvergenceControls'
import { ConvergenceTable } from './ConvergenceTable'
import classes from './Convergence.module.css'
import { Crosshair, placeUnder } from './Crosshair'
import type { TabProps } from './ExperimentPage'
import { FigureTab } from './FigureTab'
import { useChartZoom } from './useChartZoom'
import { useExperimentSearch } from './useExperimentSearch'

/** The curves with a crosshair in every panel, and under them the values it meets: the table is the legend. */
export default function ConvergenceTab({ experiment }: TabProps) {
  const [search] = useExperimentSearch()
  const [dragged, setDragged] = useState<{ from: unknown; weight: number } | null>(null)
  // What was dragged counts until the address changes.
  const moving = dragged && dragged.from === search.smoothing ? dragged.weight : parseWeight(search.smoothing)
  const weight = useDeferredValue(moving)
  return (
    <FigureTab experiment={experiment} name="convergence" controls={(given) => <ConvergenceControls given={given} onSmooth={(next) => setDragged({ from: search.smoothing, weight: next })} />}>
      {(options) => <Panels experimentId={experiment.id} options={options} weight={weight} />}
    </FigureTab>
  )
}

interface PanelsProps {
  experimentId: number
  options: FigureOptions
  weight: number
}

const groupsOf = (figure: PlotlyFigure) => [...new Set(figure.data.flatMap((trace) => (trace.meta?.role === 'mean' && trace.legendgroup ? [trace.legendgroup] : [])))]

function Panels({ experimentId, options, weight }: PanelsProps) {
  const [search, change] = useExperimentSearch()
  const lifted = useNewObserved<string | null>(null)
  const hover = useNewObserved<number | null>(null)
  const boxes = useNewObserved<readonly PanelBox[]>([])
  const chart = useRef<ChartHandle>(null)
  const shown = useRef<PlotlyFigure>(null)
  const { hidden, only } = search
  const transform = useCallback((figure: PlotlyFigure) => smoothed(withoutHidden(figure, hiddenOf(groupsOf(figure), { hidden, only })), weight), [hidden, only, weight])
  const redraw = useCallback(() => boxes.set(chart.current?.panels() ?? []), [boxes])
  const align: Align = search.align === 'images' ? 'images' : 'share'
  const pinned = typeof search.at === 'number' ? search.at : undefined
  const [zoom, onZoom] = useChartZoom(
    useCallback((next: AxisZoom, before: AxisZoom) => (search.sync === 'no' || !shown.current ? next : synced(next, before, wholeAxes(boxes.get(), shown.current.layout))), [search.sync, boxes]),
  )
  const under = (event: React.MouseEvent<HTMLElement>) => (shown.current ? placeUnder(event, boxes.get(), panelValues(shown.current), align) : null)

  return (
    <FigurePanel
      experimentId={experimentId}
      name="convergence"
      title="Convergence"
      options={options}
      transform={transform}
      legend={false}
      chart={chart}
      lifted={lifted}
      zoom={zoom}
      onZoom={onZoom}
      onReset={() => change({ zoom: undefined, at: undefined })}
      onDrawn={redraw}
      overlay={(figure) => {
        shown.current = figure
        return <Crosshair figure={figure} boxes={boxes} hover={hover} pinned={pinned} align={align} hidden={hiddenOf(groupsOf(figure), search)} />
      }}
      renderBelow={(figure) => (
        <>
          <Values figure={figure} hover={hover} lifted={lifted} pinned={pinned} align={align} />
          <p className={classes.hint}>Drag or Ctrl + wheel zooms, a double click resets. A click keeps the crosshair. A glyph hides its line, a double click on it shows that line alone; a name takes differences to it.</p>
        </>
      )}
      stage={{
        onPointerMove: (event) => hover.set(under(event)),
        onPointerLeave: () => hover.set(null),
        onClick: (event) => {
          const place = event.detail === 1 ? under(event) : null
          if (place !== null) change({ at: Number(place.toFixed(4)) }, true)
        },
      }}
    />
  )
}

type ValuesProps = Pick<Parameters<typeof ConvergenceTable>[0], 'hover' | 'lifted' | 'pinned' | 'align'> & { figure: PlotlyFigure }

function Values({ figure, ...cursor }: ValuesProps) {
  const [search, change] = useExperimentSearch()
  const panels = useMemo(() => panelValues(figure), [figure])
  if (panels.length === 0) return null
  const { metric, x, base, target } = figure.layout.meta ?? {}
  return (
    <ConvergenceTable
      {...cursor}
      panels={panels}
      metric={String(metric ?? 'mae')}
      axis={String(x ?? 'epoch')}
      base={String(base ?? '')}
      onBase={(group) => change({ base: group === search.base ? undefined : group })}
      target={target !== null && target !== undefined}
      hidden={hiddenOf(groupsOf(figure), search)}
      onShown={(shown: Shown, replace: boolean) => change({ ...shown }, replace)}
      onStep={(at) => change({ at }, true)}
    />
  )
}
