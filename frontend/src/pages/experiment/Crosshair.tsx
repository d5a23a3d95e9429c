import { useMemo, type MouseEvent } from 'react'

import { useObserved } from '../../components/useObserved'
import { heightOfValue, pixelOf, placeOf, standAt, valueAt, type Align } from '../../lib/crosshair'
import { indexAt, panelValues, type PanelBox, type PanelValues, type PlotlyFigure } from '../../lib/figure'
import type { Observed } from '../../lib/observed'
import classes from './Convergence.module.css'
import { positionWords } from './positionWords'

interface Props {
  figure: PlotlyFigure
  boxes: Observed<readonly PanelBox[]>
  hover: Observed<number | null>
  /** where a click has left it; undefined: nowhere */
  pinned: number | undefined
  align: Align
  hidden: ReadonlySet<string>
}

/** An overlay, so that moving it draws no chart again: a line a panel, and a ring where it meets each curve. */
export function Crosshair({ figure, boxes, hover, pinned, align, hidden }: Props) {
  const places = useObserved(boxes)
  const at = useObserved(hover) ?? pinned
  const panels = useMemo(() => panelValues(figure), [figure])
  if (at === undefined) return null
  return panels.map((panel) => {
    const box = places.find((one) => one.axis === panel.axis)
    const stand = standAt(panel, at, align, panels)
    const left = box && pixelOf(box, stand.x)
    if (!box || left === null || left === undefined) return null
    return (
      <div key={panel.axis} aria-hidden>
        <span className={classes.crosshair} data-ended={stand.ended || undefined} style={{ left, top: box.top, height: box.height }} />
        {stand.ended && (
          <span className={classes.ended} style={{ left: left - 4, top: box.top + 4 }}>
            ended at {positionWords(String(figure.layout.meta?.x ?? 'epoch'), panel.end)}
          </span>
        )}
        <Rings panel={panel} box={box} x={stand.x} hidden={hidden} />
      </div>
    )
  })
}

function Rings({ panel, box, x, hidden }: { panel: PanelValues; box: PanelBox; x: number; hidden: ReadonlySet<string> }) {
  return panel.lines.map((line) => {
    const i = indexAt(line, x)
    const top = i < 0 || hidden.has(line.group) ? null : heightOfValue(box, line.y[i]!)
    const left = i < 0 ? null : pixelOf(box, line.x[i]!)
    if (top === null || left === null) return null
    return <span key={line.group} className={classes.ring} style={{ left, top, borderColor: line.colour }} />
  })
}

/** The crosshair's place under the pointer; null outside the panels. */
export function placeUnder(event: MouseEvent<HTMLElement>, boxes: readonly PanelBox[], panels: readonly PanelValues[], align: Align): number | null {
  const frame = event.currentTarget.getBoundingClientRect()
  const [x, y] = [event.clientX - frame.left, event.clientY - frame.top]
  const box = boxes.find((b) => x >= b.left && x <= b.left + b.width && y >= b.top && y <= b.top + b.height)
  const panel = box && panels.find((one) => one.axis === box.axis)
  return box && panel ? placeOf(panel, valueAt(box, x), align, panels) : null
}
