import { useQuery } from '@tanstack/react-query'
import { memo } from 'react'

import { depthQuery } from '../../api/queries'
import type { PredictionEntry } from '../../api/types'
import { DepthTile, EmptyTile, PictureTile } from '../../components/depth/DepthTile'
import { Edges, LineMark } from '../../components/depth/Overlays'
import type { Painter } from '../../components/depth/painter'
import { Metres, Ring } from '../../components/depth/Readout'
import type { Cursor } from '../../components/depth/useZoom'
import { LossGlyph } from '../../components/LossGlyph'
import { useLosses } from '../../components/useLosses'
import { metresAt, type DepthMap } from '../../lib/depth'
import { count, metric as metricText } from '../../lib/format'
import type { Line } from '../../lib/line'
import { metresOf } from '../../lib/prepared'
import { differenceText, frameName, metricWords, TRUTH, tileMetric, type Pair, type Sort, type TileColumn, type TileRow } from '../../lib/qualitative'
import classes from './Qualitative.module.css'
import type { DrawnLine } from './QualitativeTab'
import { useExperimentSearch } from './useExperimentSearch'
import type { Viewed } from './useQualitative'

export interface TilesProps {
  viewed: Viewed
  cursor: Cursor | null
  zoom: unknown
  line: DrawnLine | null
}

export function TileTable({ viewed, cursor, zoom, line }: TilesProps) {
  const { grid, sort, pair } = viewed
  const pictures = grid.rows.some((row) => row.frame.rgb_url !== null)
  const truths = grid.rows.some((row) => row.frame.has_truth)
  const tiles = grid.columns.length + Number(pictures) + Number(truths)
  const least = { minWidth: `calc(var(--name-width) + ${tiles} * (var(--tile-width) + 4px))` }
  const columns = { gridTemplateColumns: `var(--name-width) repeat(${tiles}, minmax(var(--tile-width), 1fr))` }
  return (
    <div role="table" aria-label="Depth maps: a row an image, a column a run" className={classes.table} style={least}>
      <div role="row" className={classes.row} style={columns}>
        <span role="columnheader" className={classes.first}>
          <span className="hidden-text">Name</span>
        </span>
        {pictures && (
          <span role="columnheader" className={`${classes.column} ${classes.second}`}>
            Image
          </span>
        )}
        {truths && (
          <span role="columnheader" className={`${classes.column} ${pictures ? classes.third : classes.second}`}>
            Ground truth
            <Side pair={pair} at={TRUTH} />
          </span>
        )}
        {grid.columns.map((column, i) => (
          <ColumnHead key={column.run_id} column={column} metric={sort.metric} pair={pair} at={i} steps={new Set(grid.columns.map((c) => c.step)).size} />
        ))}
      </div>
      {grid.rows.map((row, i) => (
        <div role="row" className={classes.row} style={columns} key={row.frame.id} data-tile-row={i}>
          <Row
            row={row}
            columns={grid.columns}
            painter={viewed.painter}
            view={viewed.look.view}
            scaled={viewed.look.scaled}
            mask={viewed.look.mask}
            edges={viewed.edges}
            sort={sort}
            pair={pair}
            pictures={pictures}
            truths={truths}
            cursor={cursor?.row === i ? cursor : null}
            line={line?.frame === row.frame.id ? line.line : null}
            zoom={zoom}
          />
        </div>
      ))}
    </div>
  )
}

/** A or B at the column that it is. */
export function Side({ pair, at }: { pair: Pair; at: number }) {
  const letters = [pair.a === at && 'A', pair.b === at && 'B'].filter(Boolean).join('')
  return letters ? <b className={classes.letter}>{letters}</b> : null
}

function ColumnHead({ column, metric, pair, at, steps }: { column: TileColumn; metric: string; pair: Pair; at: number; steps: number }) {
  const losses = useLosses()
  const entry = losses.metric(metric)
  const value = column.run.metrics?.[metric]
  const when = column.step === null ? 'nothing yet' : `step ${count(column.step)}`
  return (
    <span role="columnheader" className={classes.column} title={`${column.label}: ${metricWords(metric, entry)} over all test images, run ${column.run_id}, ${when}`}>
      <LossGlyph name={column.mark} hollow={column.run.encoder.startsWith('resnet')} />
      <span className={classes.label}>{column.label}</span>
      <Side pair={pair} at={at} />
      {value != null && <span className={`${classes.value} num`}>{metricText(value, entry)}</span>}
      {steps > 1 && <span className={`${classes.when} num`}>{when}</span>}
    </span>
  )
}

interface RowProps {
  row: TileRow
  columns: TileColumn[]
  painter: Painter
  view: string
  scaled: boolean
  mask: boolean
  edges: boolean
  sort: Sort
  pair: Pair
  pictures: boolean
  truths: boolean
  cursor: Cursor | null
  line: Line | null
  zoom: unknown
}

/** Colours are no concern of it: the painter changes them without drawing the page again. */
const Row = memo(function Row({ row, columns, painter, view, scaled, mask, edges, sort, pair, pictures, truths, cursor, line, zoom }: RowProps) {
  const losses = useLosses()
  const { frame } = row
  const truth = useQuery(depthQuery(frame.depth_url, frame.height, frame.width)).data
  const size = { height: frame.height, width: frame.width }
  const entry = losses.metric(sort.metric)
  const over = (named: boolean) => (
    <>
      {edges && truth && <Edges truth={truth} />}
      {line && <LineMark line={line} named={named} />}
    </>
  )
  return (
    <>
      <FrameName row={row} columns={columns} sort={sort} pair={pair} />
      {pictures && (
        <span role="cell" className={classes.second}>
          <PictureTile url={frame.rgb_url} {...size} label={`${frame.frame}, photograph`} overlay={over(true)}>
            {frame.rgb_url === null && <span className={classes.noPicture}>no photograph</span>}
            {cursor && <Ring cursor={cursor} zoom={zoom} />}
          </PictureTile>
        </span>
      )}
      {truths && (
        <span role="cell" className={pictures ? classes.third : classes.second} data-column={TRUTH}>
          <DepthTile url={frame.depth_url} {...size} painter={painter} label={`${frame.frame}, ground truth`} overlay={over(!pictures)}>
            {!frame.has_truth && <span className={classes.noPicture}>no ground truth</span>}
            {cursor && <Ring cursor={cursor} zoom={zoom} />}
            {cursor && truth && frame.has_truth && <Metres depth={metresAt(truth, cursor.u, cursor.v)} missing="no ground truth" />}
          </DepthTile>
        </span>
      )}
      {row.predictions.map((prediction, i) => (
        <span role="cell" key={columns[i]!.run_id} data-column={i}>
          {prediction ? (
            <PredictionTile prediction={prediction} truth={frame.has_truth ? truth : undefined} painter={painter} view={view} scaled={scaled} mask={mask} cursor={cursor} zoom={zoom} overlay={over(false)} label={`${frame.frame}, ${columns[i]!.label}`} />
          ) : (
            <EmptyTile {...size}>not yet</EmptyTile>
          )}
          <span className={`${classes.metric} num`}>{tileMetric(prediction, sort.metric, entry)}</span>
        </span>
      ))}
    </>
  )
})

/** The frame's name opens its row; below it the difference that rows are sorted by. */
function FrameName({ row, columns, sort, pair }: { row: TileRow; columns: TileColumn[]; sort: Sort; pair: Pair }) {
  const losses = useLosses()
  const [, change] = useExperimentSearch()
  const [folder, name] = frameName(row.frame.frame)
  return (
    <span role="rowheader" className={`${classes.frame} ${classes.first}`} title={row.frame.frame}>
      <button type="button" className={classes.open} title={`Enlarge ${row.frame.frame}`} onClick={() => change({ row: row.frame.id }, true)}>
        {name}
      </button>
      <span className="secondary ellipsis">{folder}</span>
      {sort.order === 'difference' && (
        <span className={classes.difference}>
          <span className="secondary">
            {columns[pair.a]?.label} − {columns[pair.b]?.label}
          </span>
          <b className="num">{differenceText(row.score, losses.metric(sort.metric))}</b>
        </span>
      )}
    </span>
  )
}

interface PredictionProps {
  prediction: PredictionEntry
  truth: DepthMap | undefined
  painter: Painter
  view: string
  scaled: boolean
  mask: boolean
  cursor: Cursor | null
  zoom: unknown
  overlay?: React.ReactNode
  label: string
}

export function PredictionTile({ prediction, truth, painter, view, scaled, mask, cursor, zoom, overlay, label }: PredictionProps) {
  const size = { height: prediction.height, width: prediction.width }
  return (
    <DepthTile url={prediction.url} {...size} painter={painter} compared truth={truth} scaled={scaled} mask={mask && view === 'depth'} label={label} overlay={overlay}>
      {cursor && <Ring cursor={cursor} zoom={zoom} />}
      {cursor && <PredictionMetres prediction={prediction} truth={truth} scaled={scaled} relative={view === 'relative'} cursor={cursor} />}
    </DepthTile>
  )
}

function PredictionMetres({ prediction, truth, scaled, relative, cursor }: Pick<PredictionProps, 'prediction' | 'truth' | 'scaled'> & { relative: boolean; cursor: Cursor }) {
  const stored = useQuery(depthQuery(prediction.url, prediction.height, prediction.width)).data
  if (!stored) return null
  const depth = metresAt(metresOf(stored, truth, scaled), cursor.u, cursor.v)
  const expected = truth ? metresAt(truth, cursor.u, cursor.v) : null
  const error = depth !== null && expected !== null ? depth - expected : null
  return <Metres depth={depth} error={relative ? null : error} relative={relative && error !== null ? error / expected! : null} missing="no depth" />
}
