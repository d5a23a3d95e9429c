import { useQueries } from '@tanstack/react-query'

import { depthQuery } from '../../api/queries'
import type { Cursor } from '../../components/depth/useZoom'
import { lossLabel, LossName } from '../../components/LossGlyph'
import { useLosses } from '../../components/useLosses'
import { metresAt, pixelAt, profile, type DepthMap } from '../../lib/depth'
import { fixed, NONE, signed } from '../../lib/format'
import type { TileGrid } from '../../lib/qualitative'
import { ProfileChart, type ProfileLine } from './ProfileChart'
import classes from './Qualitative.module.css'

interface Props {
  grid: TileGrid
  cursor: Cursor | null
  pinned: boolean
}

/** The row of pixels through the cursor, and the values under it: both follow the cursor, a click keeps them. */
export function CursorPanel({ grid, cursor, pinned }: Props) {
  const row = cursor ? grid.rows[cursor.row] : undefined
  if (!cursor || !row) return <p className={classes.hint}>Point at a tile to read metres in all tiles of its row. Click keeps the point, the wheel zooms and dragging moves every tile, a double click shows the whole images.</p>
  return <Filled grid={grid} cursor={cursor} rowIndex={cursor.row} pinned={pinned} />
}

function Filled({ grid, cursor, rowIndex, pinned }: { grid: TileGrid; cursor: Cursor; rowIndex: number; pinned: boolean }) {
  const losses = useLosses()
  const row = grid.rows[rowIndex]!
  const { frame } = row
  const urls = [frame, ...row.predictions].map((item) => (item ? ('depth_url' in item ? item.depth_url : item.url) : null))
  const maps = useQueries({ queries: urls.map((url) => ({ ...depthQuery(url ?? '', frame.height, frame.width), enabled: url !== null })) }).map((query) => query.data)
  const truth = maps[0]
  const { x, y } = pixelAt(frame, cursor.u, cursor.v)
  const expected = truth ? metresAt(truth, cursor.u, cursor.v) : null
  const lines: ProfileLine[] = grid.runs.flatMap((run, i) => {
    const map = maps[i + 1]
    return map ? [{ loss: run.loss, label: lossLabel(run.loss, run.loss_label, losses.title), values: profile(map, cursor.v) }] : []
  })
  return (
    <div className={classes.cursor}>
      <section aria-label="Profile">
        <div className="spread">
          <h2 className="section">Profile along row {y}</h2>
          <span className="secondary">metres, {frame.frame}</span>
        </div>
        <ProfileChart truth={truth ? profile(truth, cursor.v) : []} lines={lines} at={x} />
      </section>
      <section aria-label="Under the cursor">
        <div className="spread">
          <h2 className="section">{pinned ? 'At the kept point' : 'Under the cursor'}</h2>
          <span className="secondary num">
            x {x}, y {y} · {expected === null ? 'no ground truth' : `ground truth ${fixed(expected, 2)} m`}
          </span>
        </div>
        <Values grid={grid} maps={maps.slice(1)} cursor={cursor} expected={expected} />
      </section>
    </div>
  )
}

function Values({ grid, maps, cursor, expected }: { grid: TileGrid; maps: (DepthMap | undefined)[]; cursor: Cursor; expected: number | null }) {
  return (
    <table className="table">
      <thead>
        <tr>
          <th>Loss</th>
          <th className="right">Depth</th>
          <th className="right">Error</th>
          <th className="right">Relative</th>
        </tr>
      </thead>
      <tbody className="num">
        {grid.runs.map((run, i) => {
          const map = maps[i]
          const depth = map ? metresAt(map, cursor.u, cursor.v) : null
          const error = depth !== null && expected !== null ? depth - expected : null
          return (
            <tr key={run.id}>
              <td>
                <LossName name={run.loss} label={run.loss_label} />
              </td>
              <td className="right">{depth === null ? NONE : `${fixed(depth, 2)} m`}</td>
              <td className="right">{signed(error, 2)}</td>
              <td className="right">{error === null ? NONE : `${signed((100 * error) / expected!, 1)} %`}</td>
            </tr>
          )
        })}
      </tbody>
    </table>
  )
}
