import { Select } from '@mantine/core'
import { useQueries, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useMemo, useRef, useState } from 'react'

import { depthQuery, predictionsQuery } from '../../api/queries'
import type { PredictionEntry, RunDetail } from '../../api/types'
import { DepthTile, PictureTile, type Colouring } from '../../components/depth/DepthTile'
import { Metres, Ring } from '../../components/depth/Readout'
import { useZoom, type Cursor } from '../../components/depth/useZoom'
import { ErrorPanel } from '../../components/ErrorPanel'
import { useLosses } from '../../components/useLosses'
import { depthRange, metresAt, type DepthMap } from '../../lib/depth'
import { count, fixed, metric } from '../../lib/format'
import { frameLabels } from '../../lib/frames'
import { thinned } from '../../lib/thinned'
import { runRoute, type RunSearch } from '../../router'
import classes from './Run.module.css'

const MOST_TILES = 8

/** One test image over the evaluations: how the depth map came about. */
export function Predictions({ run }: { run: RunDetail }) {
  const query = useQuery(predictionsQuery(run.id))
  const search = runRoute.useSearch()
  const navigate = useNavigate()
  const frames = useMemo(() => [...new Map(query.data?.map((p) => [p.frame_id, p.frame])).entries()], [query.data])
  const labels = useMemo(() => frameLabels(query.data ?? []), [query.data])
  const frame = frames.find(([id]) => id === search.frame)?.[0] ?? frames[0]?.[0]
  const choose = (value: string | null) =>
    void navigate({ to: '/runs/$runId', params: { runId: String(run.id) }, search: (old: RunSearch) => ({ ...old, frame: Number(value) }), replace: true, resetScroll: false })
  if (query.error && !query.data) return <ErrorPanel error={query.error} onRetry={() => void query.refetch()} />
  if (!query.data || frame === undefined) return null
  const ofFrame = query.data.filter((p) => p.frame_id === frame).toSorted((a, b) => a.step - b.step)
  return (
    <section aria-label="Predictions over the run">
      <div className="spread">
        <h2 className="section">Predictions over the run</h2>
        <Select aria-label="Test image" w={220} data={frames.map(([id]) => ({ value: String(id), label: labels.get(id) ?? '' }))} value={String(frame)} onChange={choose} />
      </div>
      <Tiles key={frame} predictions={thinned(ofFrame, MOST_TILES)} frames={frames.map(([id]) => id)} />
    </section>
  )
}

/** The range is that of the ground truth of all `frames`: another image keeps its colours. */
function Tiles({ predictions, frames }: { predictions: PredictionEntry[]; frames: number[] }) {
  const losses = useLosses()
  const root = useRef<HTMLDivElement>(null)
  const [cursor, setCursor] = useState<Cursor | null>(null)
  const [zoom, setZoom] = useState<string | undefined>()
  useZoom(root, { text: zoom, onText: setZoom, onCursor: setCursor, onPin: () => undefined })
  const first = predictions[0]!
  const size = { height: first.height, width: first.width }
  const truthUrl = `/api/frames/${first.frame_id}/depth`
  const [truth, ...maps] = useQueries({ queries: [depthQuery(truthUrl, size.height, size.width), ...predictions.map((p) => depthQuery(p.url, p.height, p.width))] }).map((q) => q.data)
  const truths = useQueries({ queries: frames.map((id) => depthQuery(`/api/frames/${id}/depth`, size.height, size.width)), combine: (all) => all.flatMap((q) => q.data ?? []) })
  // A script may have shown no ground truth: its own maps give the range then.
  const known = truths.some((map) => map.values.some((value) => value > 0))
  const shown = known ? truths : maps.flatMap((map) => map ?? [])
  const range = useMemo(() => depthRange(shown), [known, truths, maps.filter(Boolean).length])
  const scored = predictions.some((prediction) => prediction.metrics.rmse !== undefined)
  const colouring: Colouring = useMemo(() => ({ view: 'depth', map: 'depth', range, limit: 1 }), [range])
  return (
    <>
      <div ref={root} className={classes.tiles}>
        <div className={classes.strip} data-tile-row={0} style={{ gridTemplateColumns: `repeat(${predictions.length + 2}, minmax(64px, 150px))` }}>
          <figure>
            <figcaption>Image</figcaption>
            <PictureTile url={`/api/frames/${first.frame_id}/rgb`} {...size} label={`${first.frame}, photograph`}>
              {cursor && <Ring cursor={cursor} zoom={zoom} />}
            </PictureTile>
          </figure>
          <figure>
            <figcaption>Ground truth</figcaption>
            <DepthTile url={truthUrl} {...size} colouring={colouring} label={`${first.frame}, ground truth`}>
              <Reading cursor={cursor} zoom={zoom} map={truth} missing="no ground truth" />
            </DepthTile>
          </figure>
          {predictions.map((prediction, i) => (
            <figure key={prediction.id}>
              <figcaption className="num">{prediction.epoch > 0 ? `Epoch ${fixed(prediction.epoch, prediction.epoch < 10 ? 1 : 0)}` : `Step ${count(prediction.step)}`}</figcaption>
              <DepthTile url={prediction.url} {...size} colouring={colouring} label={`${prediction.frame} at step ${prediction.step}`}>
                <Reading cursor={cursor} zoom={zoom} map={maps[i]} truth={truth} missing="not finite" />
              </DepthTile>
              {scored && <span className={`${classes.tileMetric} num`}>{metric(prediction.metrics.rmse, losses.metric('rmse'))}</span>}
            </figure>
          ))}
        </div>
      </div>
      <p className="secondary num">
        One range, {fixed(range[0], 1)}–{fixed(range[1], 1)} m. {scored && 'Under each tile its RMSE in metres. '}Last at step {count(predictions.at(-1)!.step)}.
      </p>
    </>
  )
}

function Reading({ cursor, zoom, map, truth, missing }: { cursor: Cursor | null; zoom: unknown; map?: DepthMap; truth?: DepthMap; missing: string }) {
  if (!cursor) return null
  const depth = map ? metresAt(map, cursor.u, cursor.v) : null
  const expected = truth ? metresAt(truth, cursor.u, cursor.v) : null
  return (
    <>
      <Ring cursor={cursor} zoom={zoom} />
      {map && <Metres depth={depth} error={depth !== null && expected !== null ? depth - expected : null} missing={missing} />}
    </>
  )
}
