import { SegmentedControl } from '@mantine/core'
import { useQueries } from '@tanstack/react-query'

import { depthQuery } from '../../api/queries'
import { rounded } from '../../components/depth/Readout'
import type { Cursor } from '../../components/depth/useZoom'
import { LossGlyph } from '../../components/LossGlyph'
import { useLosses } from '../../components/useLosses'
import { metresAt, pixelAt, type DepthMap } from '../../lib/depth'
import { fixed, NONE, signed } from '../../lib/format'
import { metresOf } from '../../lib/prepared'
import { TRUTH } from '../../lib/qualitative'
import { CloudPanel } from './CloudPanel'
import { ErrorChart } from './ErrorChart'
import { ProfilePanel } from './ProfilePanel'
import classes from './Qualitative.module.css'
import type { DrawnLine } from './QualitativeTab'
import { useExperimentSearch } from './useExperimentSearch'
import type { Viewed } from './useQualitative'

interface Props {
  viewed: Viewed
  cursor: Cursor | null
  /** whether the cursor is a real one: else it only says which row the panel is about */
  pointing: boolean
  pinned: boolean
  line: DrawnLine | null
}

const HINT =
  'Point at a tile to read metres in all tiles of its row. Click keeps the point, Shift-drag draws a line for the profile, the wheel zooms and dragging moves every tile, a double click shows whole images. A name on the left enlarges its row.'

/** Below the tiles: depth along a line, errors and space of one row, and the values under the cursor. */
export function CursorPanel(props: Props) {
  const row = props.cursor ? props.viewed.grid.rows[props.cursor.row] : undefined
  if (!props.cursor || !row) return <p className={classes.hint}>{HINT}</p>
  return <Filled {...props} cursor={props.cursor} />
}

/** The maps of a row as they are shown: the ground truth and one a column. */
export interface RowMaps {
  truth: DepthMap | undefined
  runs: (DepthMap | undefined)[]
}

function useRowMaps({ grid, look }: Viewed, index: number): RowMaps {
  const { frame, predictions } = grid.rows[index]!
  const urls = [frame.depth_url, ...predictions.map((item) => item?.url ?? null)]
  const found = useQueries({ queries: urls.map((url) => ({ ...depthQuery(url ?? '', frame.height, frame.width), enabled: url !== null })) })
  const [own, ...runs] = found.map((query) => query.data)
  const truth = frame.has_truth ? own : undefined
  return { truth, runs: runs.map((map) => map && metresOf(map, truth, look.scaled)) }
}

const PANELS = [
  { value: 'profile', label: 'Profile' },
  { value: 'errors', label: 'Errors' },
  { value: '3d', label: '3-D' },
]

function Filled({ viewed, cursor, pointing, pinned, line }: Props & { cursor: Cursor }) {
  const [search, change] = useExperimentSearch()
  const { frame } = viewed.grid.rows[cursor.row]!
  const maps = useRowMaps(viewed, cursor.row)
  const panel = PANELS.some((p) => p.value === search.panel) ? search.panel : 'profile'
  return (
    <div className={classes.cursor}>
      <section aria-label="Profile, errors and space">
        <div className={classes.panelHead}>
          <SegmentedControl aria-label="What is shown of the row" data={PANELS} value={String(panel)} onChange={(value) => change({ panel: value === 'profile' ? undefined : value }, true)} />
          <span className="secondary ellipsis">{frame.frame}</span>
        </div>
        {panel === 'profile' && <ProfilePanel viewed={viewed} maps={maps} cursor={cursor} pointing={pointing} line={line?.frame === frame.id ? line.line : null} />}
        {panel === 'errors' && <ErrorChart viewed={viewed} maps={maps} />}
        {panel === '3d' && <Space viewed={viewed} maps={maps} row={cursor.row} />}
      </section>
      <Values viewed={viewed} maps={maps} cursor={cursor} pointing={pointing} pinned={pinned} />
    </div>
  )
}

function Space({ viewed, maps, row }: { viewed: Viewed; maps: RowMaps; row: number }) {
  const { grid, pair, look } = viewed
  const sides = [...new Set([TRUTH, pair.a, pair.b])]
  const clouds = sides.flatMap((side) => {
    const map = side === TRUTH ? maps.truth : maps.runs[side]
    return map ? [{ label: side === TRUTH ? 'Ground truth' : grid.columns[side]!.label, map }] : []
  })
  return <CloudPanel frame={grid.rows[row]!.frame} clouds={clouds} colouring={look} />
}

/** What every tile of the row says at the cursor. */
function Values({ viewed, maps, cursor, pointing, pinned }: { viewed: Viewed; maps: RowMaps; cursor: Cursor; pointing: boolean; pinned: boolean }) {
  const { frame } = viewed.grid.rows[cursor.row]!
  const { x, y } = pixelAt(frame, cursor.u, cursor.v)
  const expected = maps.truth && pointing ? metresAt(maps.truth, cursor.u, cursor.v) : null
  const title = pinned ? 'At the kept point' : 'Under the cursor'
  return (
    <section aria-label={title}>
      <div className="spread">
        <h2 className="section">{title}</h2>
        <span className="secondary num">{pointing ? `x ${x}, y ${y} · ${expected === null ? 'no ground truth' : `ground truth ${fixed(expected, 2)} m`}` : 'point at a tile'}</span>
      </div>
      <table className="table">
        <thead>
          <tr>
            <th>{viewed.look.scaled ? 'Median-scaled' : 'Run'}</th>
            <th className="right">Depth</th>
            <th className="right">Error</th>
            <th className="right">Relative</th>
          </tr>
        </thead>
        <tbody className="num">
          {viewed.grid.columns.map((column, i) => (
            <ValueRow key={column.run_id} mark={column.mark} label={column.label} depth={pointing && maps.runs[i] ? metresAt(maps.runs[i], cursor.u, cursor.v) : null} expected={expected} />
          ))}
        </tbody>
      </table>
    </section>
  )
}

function ValueRow({ mark, label, depth, expected }: { mark: string; label: string; depth: number | null; expected: number | null }) {
  const error = depth !== null && expected !== null ? depth - expected : null
  return (
    <tr>
      <td>
        <span className="row">
          <LossGlyph name={mark} />
          <span className="ellipsis" title={label}>
            {label}
          </span>
        </span>
      </td>
      <td className="right">{depth === null ? NONE : `${fixed(depth, 2)} m`}</td>
      <td className="right">{signed(error === null ? null : rounded(error), 2)}</td>
      <td className="right">{error === null ? NONE : `${signed((100 * error) / expected!, 1)} %`}</td>
    </tr>
  )
}

/** How the columns are drawn as lines: the two compared stand out. */
export function useLines({ grid, pair }: Viewed) {
  const { token } = useLosses()
  return grid.columns.map((column, i) => ({ label: column.label, token: token(column.mark), chosen: i === pair.a || i === pair.b }))
}
