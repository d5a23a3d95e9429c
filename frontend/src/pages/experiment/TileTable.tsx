import { useQuery } from '@tanstack/react-query'
import { memo } from 'react'

import { depthQuery } from '../../api/queries'
import type { PredictionEntry, RunSummary } from '../../api/types'
import { DepthTile, EmptyTile, PictureTile, type Colouring } from '../../components/depth/DepthTile'
import { Metres, Ring } from '../../components/depth/Readout'
import type { Cursor } from '../../components/depth/useZoom'
import { lossLabel, LossGlyph } from '../../components/LossGlyph'
import { useLosses } from '../../components/useLosses'
import { metresAt, type DepthMap } from '../../lib/depth'
import { metric as metricText, metricName } from '../../lib/format'
import { frameName, type TileGrid, type TileRow } from '../../lib/qualitative'
import classes from './Qualitative.module.css'

interface Props {
  grid: TileGrid
  colouring: Colouring
  cursor: Cursor | null
  metric: string
  zoom: unknown
}

export function TileTable({ grid, colouring, cursor, metric, zoom }: Props) {
  const columns = { gridTemplateColumns: `minmax(72px, 96px) repeat(${grid.runs.length + 2}, minmax(76px, 1fr))` }
  return (
    <div role="table" aria-label="Depth maps: a row an image, a column a loss" className={classes.table}>
      <div role="row" className={classes.row} style={columns}>
        <span role="columnheader">
          <span className="hidden-text">Name</span>
        </span>
        <span role="columnheader" className={classes.column}>
          Image
        </span>
        <span role="columnheader" className={classes.column}>
          Ground truth
        </span>
        {grid.runs.map((run) => (
          <ColumnHead key={run.id} run={run} metric={metric} />
        ))}
      </div>
      {grid.rows.map((row, i) => (
        <div role="row" className={classes.row} style={columns} key={row.frame.id} data-tile-row={i}>
          <Row row={row} runs={grid.runs} colouring={colouring} cursor={cursor?.row === i ? cursor : null} metric={metric} zoom={zoom} />
        </div>
      ))}
    </div>
  )
}

function ColumnHead({ run, metric }: { run: RunSummary; metric: string }) {
  const losses = useLosses()
  const entry = losses.metric(metric)
  const label = lossLabel(run.loss, run.loss_label, losses.title)
  return (
    <span role="columnheader" className={classes.column} title={`${label}: ${entry ? metricName(entry) : metric} over all test images, run ${run.id}`}>
      <LossGlyph name={run.loss} hollow={run.encoder.startsWith('resnet')} />
      <span className="ellipsis">{label}</span>
      <span className={`${classes.value} num`}>{metricText(run.metrics?.[metric], entry)}</span>
    </span>
  )
}

interface RowProps {
  row: TileRow
  runs: RunSummary[]
  colouring: Colouring
  cursor: Cursor | null
  metric: string
  zoom: unknown
}

const Row = memo(function Row({ row, runs, colouring, cursor, metric, zoom }: RowProps) {
  const losses = useLosses()
  const { frame } = row
  const truth = useQuery(depthQuery(frame.depth_url, frame.height, frame.width)).data
  const [folder, name] = frameName(frame.frame)
  const size = { height: frame.height, width: frame.width }
  const depthOnly: Colouring = colouring.view === 'depth' ? colouring : { ...colouring, view: 'depth' }
  return (
    <>
      <span role="rowheader" className={classes.frame} title={frame.frame}>
        <span className="ellipsis">{name}</span>
        <span className="secondary ellipsis">{folder}</span>
      </span>
      <span role="cell">
        <PictureTile url={frame.rgb_url} {...size} label={`${frame.frame}, photograph`}>
          {cursor && <Ring cursor={cursor} zoom={zoom} />}
        </PictureTile>
      </span>
      <span role="cell">
        <DepthTile url={frame.depth_url} {...size} colouring={depthOnly} label={`${frame.frame}, ground truth`}>
          {cursor && <Ring cursor={cursor} zoom={zoom} />}
          {cursor && truth && <Metres depth={metresAt(truth, cursor.u, cursor.v)} missing="no ground truth" />}
        </DepthTile>
      </span>
      {row.predictions.map((prediction, i) => (
        <span role="cell" key={runs[i]!.id}>
          {prediction ? (
            <PredictionTile prediction={prediction} truth={truth} colouring={colouring} cursor={cursor} zoom={zoom} label={`${frame.frame}, ${losses.title(runs[i]!.loss)}`} />
          ) : (
            <EmptyTile {...size}>not yet</EmptyTile>
          )}
          <span className={`${classes.metric} num`}>{prediction && metricText(prediction.metrics[metric], losses.metric(metric))}</span>
        </span>
      ))}
    </>
  )
})

interface PredictionProps {
  prediction: PredictionEntry
  truth: DepthMap | undefined
  colouring: Colouring
  cursor: Cursor | null
  zoom: unknown
  label: string
}

function PredictionTile({ prediction, truth, colouring, cursor, zoom, label }: PredictionProps) {
  const depth = useQuery(depthQuery(prediction.url, prediction.height, prediction.width)).data
  const metres = cursor && depth ? metresAt(depth, cursor.u, cursor.v) : null
  const expected = cursor && truth ? metresAt(truth, cursor.u, cursor.v) : null
  const error = metres !== null && expected !== null ? metres - expected : null
  const relative = colouring.view === 'relative' && error !== null ? error / expected! : null
  return (
    <DepthTile url={prediction.url} height={prediction.height} width={prediction.width} colouring={colouring} truth={truth} label={label}>
      {cursor && <Ring cursor={cursor} zoom={zoom} />}
      {cursor && depth && <Metres depth={metres} error={relative === null ? error : null} relative={relative} missing="not finite" />}
    </DepthTile>
  )
}
