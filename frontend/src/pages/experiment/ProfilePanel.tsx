import { useMemo, useRef, useState } from 'react'

import { Chart, type ChartHandle } from '../../components/Chart'
import type { Cursor } from '../../components/depth/useZoom'
import { useScheme } from '../../components/useScheme'
import { pixelAt } from '../../lib/depth'
import { alongLine, lineSamples, rowLine, type Line, type Sample } from '../../lib/line'
import { profileFigure } from '../../lib/rowFigure'
import { useLines, type RowMaps } from './CursorPanel'
import { ProfileChart } from './ProfileChart'
import classes from './Qualitative.module.css'
import { RowLegend } from './RowLegend'
import { useExperimentSearch } from './useExperimentSearch'
import type { Viewed } from './useQualitative'

interface Props {
  viewed: Viewed
  maps: RowMaps
  cursor: Cursor
  pointing: boolean
  /** drawn by hand in this row; without it the row of pixels under the cursor */
  line: Line | null
}

/** Depth along the drawn line, or along the row of pixels under the cursor, which follows it. */
export function ProfilePanel({ viewed, maps, cursor, pointing, line }: Props) {
  const [, change] = useExperimentSearch()
  const { frame } = viewed.grid.rows[cursor.row]!
  const samples = useMemo(() => lineSamples(frame, line ?? rowLine(cursor.v)), [frame, line, line ? 0 : cursor.v])
  const lines = useLines(viewed)
  const values = maps.runs.map((map) => (map ? alongLine(map, samples) : []))
  const truth = maps.truth ? alongLine(maps.truth, samples) : []
  const { x, y } = pixelAt(frame, cursor.u, cursor.v)
  return (
    <>
      <div className={classes.legend}>
        <RowLegend viewed={viewed} truth={maps.truth !== undefined} />
        <span className="secondary num">{line ? 'along A–B' : `along row ${y}`}, metres</span>
        {line && (
          <button type="button" className="link" onClick={() => change({ line: undefined, on: undefined }, true)}>
            Back to the row under the cursor
          </button>
        )}
      </div>
      {line ? (
        <LineChart viewed={viewed} maps={maps} samples={samples} at={pointing ? nearest(samples, x, y) : null} />
      ) : (
        <ProfileChart truth={truth} lines={lines.map((l, i) => ({ ...l, values: values[i]! }))} at={x} />
      )}
    </>
  )
}

/** The sample that the cursor is at, if it is near the line. */
function nearest(samples: readonly Sample[], x: number, y: number): number | null {
  const far = (s: Sample) => Math.hypot(s.x - x, s.y - y)
  const best = samples.reduce((a, b) => (far(b) < far(a) ? b : a))
  return far(best) < 6 ? best.distance : null
}

function LineChart({ viewed, maps, samples, at }: { viewed: Viewed; maps: RowMaps; samples: Sample[]; at: number | null }) {
  const scheme = useScheme()
  const lines = useLines(viewed)
  const chart = useRef<ChartHandle>(null)
  const [, drawn] = useState(0)
  const key = JSON.stringify(lines)
  const figure = useMemo(() => {
    const values = lines.flatMap((l, i) => (maps.runs[i] ? [{ ...l, values: alongLine(maps.runs[i], samples) }] : []))
    return profileFigure(samples.map((s) => s.distance), maps.truth ? alongLine(maps.truth, samples) : [], values, 'pixels from A to B, each at the nearest pixel', scheme)
  }, [key, maps.truth, ...maps.runs, samples, scheme])
  const box = chart.current?.panels()[0]
  const length = samples.at(-1)!.distance || 1
  return (
    <div className={classes.overlaid}>
      <Chart figure={figure} height={230} label="Depth along the line from A to B" handle={chart} onDrawn={() => drawn((n) => n + 1)} />
      {box && at !== null && <span className={classes.crosshair} style={{ left: box.left + (box.width * at) / length, top: box.top, height: box.height }} />}
    </div>
  )
}
