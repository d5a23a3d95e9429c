import { useCallback, useMemo, useRef, useState, type MouseEvent } from 'react'

import type { ChartHandle } from '../../components/Chart'
import { FigurePanel } from '../../components/FigurePanel'
import { panelValues, type PanelBox, type PlotlyFigure } from '../../lib/figure'
import { ConvergenceTable } from './ConvergenceTable'
import classes from './Convergence.module.css'
import type { TabProps } from './ExperimentPage'
import { FigureTab } from './FigureTab'
import { useExperimentSearch } from './useExperimentSearch'

/** The curves with a crosshair in every panel, and under them the values it meets: the table is the legend. */
export default function ConvergenceTab({ experiment }: TabProps) {
  const [search, change] = useExperimentSearch()
  const [lifted, setLifted] = useState<string | null>(null)
  const [hover, setHover] = useState<number | null>(null)
  const chart = useRef<ChartHandle>(null)
  const [boxes, setBoxes] = useState<PanelBox[]>([])
  const redraw = useCallback(() => setBoxes(chart.current?.panels() ?? []), [])
  const at = hover ?? (typeof search.at === 'number' ? search.at : 1)

  return (
    <FigureTab experiment={experiment} name="convergence">
      {(options) => (
        <FigurePanel
          experimentId={experiment.id}
          name="convergence"
          title="Convergence"
          options={options}
          chart={chart}
          lifted={lifted}
          onLift={setLifted}
          onDrawn={redraw}
          overlay={<Crosshair boxes={boxes} share={at} visible={hover !== null || search.at !== undefined} />}
          renderBelow={(figure) => (
            <Values figure={figure} at={at} lifted={lifted} onLift={setLifted} onStep={(next) => change({ at: next }, true)} />
          )}
          stage={{
            onPointerMove: (event) => setHover(shareAt(event, boxes)),
            onPointerLeave: () => setHover(null),
            onDoubleClick: () => change({ at: undefined }, true),
            onClick: (event) => {
              const share = shareAt(event, boxes)
              if (share !== null) change({ at: Number(share.toFixed(4)) }, true)
            },
          }}
        />
      )}
    </FigureTab>
  )
}

interface ValuesProps {
  figure: PlotlyFigure
  at: number
  lifted: string | null
  onLift: (group: string | null) => void
  onStep: (at: number) => void
}

function Values({ figure, at, lifted, onLift, onStep }: ValuesProps) {
  const [search, change] = useExperimentSearch()
  const panels = useMemo(() => panelValues(figure), [figure])
  if (panels.length === 0) return null
  const { metric, x } = figure.layout.meta ?? {}
  return (
    <ConvergenceTable
      panels={panels}
      at={at}
      metric={String(metric ?? 'mae')}
      axis={String(x ?? 'epoch')}
      base={search.base ?? panels[0]!.lines[0]!.group}
      onBase={(base) => change({ base: base === panels[0]!.lines[0]!.group ? undefined : base }, true)}
      lifted={lifted}
      onLift={onLift}
      onStep={onStep}
    />
  )
}

/** The same share of each panel's training: an overlay, so that moving it draws no chart again. */
function Crosshair({ boxes, share, visible }: { boxes: PanelBox[]; share: number; visible: boolean }) {
  if (!visible) return null
  return boxes.map((box) => {
    const [low, high] = box.range
    const x = share * box.end
    if (x < low || x > high) return null
    return <span key={box.axis} className={classes.crosshair} style={{ left: box.left + (box.width * (x - low)) / (high - low), top: box.top, height: box.height }} />
  })
}

/** Share of the training at the pointer, by the panel it is in; null outside the panels. */
function shareAt(event: MouseEvent<HTMLElement>, boxes: PanelBox[]): number | null {
  const frame = event.currentTarget.getBoundingClientRect()
  const [x, y] = [event.clientX - frame.left, event.clientY - frame.top]
  const box = boxes.find((b) => x >= b.left && x <= b.left + b.width && y >= b.top && y <= b.top + b.height)
  if (!box) return null
  const value = box.range[0] + ((x - box.left) / box.width) * (box.range[1] - box.range[0])
  return Math.min(1, Math.max(0, value / box.end))
}
