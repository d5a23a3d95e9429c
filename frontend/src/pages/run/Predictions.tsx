import { Select } from '@mantine/core'
import { useWindowEvent } from '@mantine/hooks'
import { useQueries, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useMemo, useRef, useState, type ReactNode } from 'react'

import { depthQuery, predictionsQuery } from '../../api/queries'
import type { PredictionEntry, RunDetail } from '../../api/types'
import { DepthTile, PictureTile, type Colouring } from '../../components/depth/DepthTile'
import { Metres, Ring } from '../../components/depth/Readout'
import { useZoom, type Cursor } from '../../components/depth/useZoom'
import { ErrorPanel } from '../../components/ErrorPanel'
import { useLosses } from '../../components/useLosses'
import { depthRange, metresAt, type DepthMap } from '../../lib/depth'
import { count, fixed, metric } from '../../lib/format'
import { frameAt, frameLabels, rmseOf, withoutSharedFolder } from '../../lib/frames'
import { isScript } from '../../lib/script'
import { thinned } from '../../lib/thinned'
import { runRoute } from '../../router'
import classes from './Run.module.css'
import { useHasPicture } from './useHasPicture'
import { useRunSearch } from './useRunSearch'

const MOST_TILES = 7

/** One test image over the evaluations: how the depth map came about. */
export function Predictions({ run }: { run: RunDetail }) {
  const query = useQuery(predictionsQuery(run.id))
  const [search, change] = useRunSearch()
  const labels = useMemo(() => frameLabels(query.data ?? []), [query.data])
  const ids = [...labels.keys()]
  const names = withoutSharedFolder(ids.map((id) => labels.get(id)!))
  const frame = ids.find((id) => id === search.frame) ?? ids[0]
  useWindowEvent('keydown', (event) => {
    const typing = (event.target as HTMLElement).closest?.('input, textarea, select, [contenteditable]')
    if (typing || frame === undefined || !['[', ']'].includes(event.key)) return
    change({ frame: frameAt(ids, frame, event.key === ']' ? 1 : -1) })
  })
  if (query.error && !query.data) return <ErrorPanel error={query.error} onRetry={() => void query.refetch()} />
  if (!query.data || frame === undefined) return null
  const ofFrame = query.data.filter((p) => p.frame_id === frame).toSorted((a, b) => a.step - b.step)
  return (
    <section aria-label="Predictions over the run">
      <div className="spread">
        <h2 className="section">Predictions over {isScript(run) ? 'the run' : 'epochs'}</h2>
        <span className={classes.smoothing}>
          {ids.length > 1 && (
            <span className="secondary">
              <kbd>[</kbd> <kbd>]</kbd>
            </span>
          )}
          <Select aria-label="Test image" w={190} data={ids.map((id, i) => ({ value: String(id), label: names[i]! }))} value={String(frame)} onChange={(value) => change({ frame: Number(value) })} />
          <Qualitative run={run} prediction={ofFrame.at(-1)!} />
        </span>
      </div>
      <Tiles key={frame} run={run} predictions={thinned(ofFrame, MOST_TILES)} frames={ids} />
    </section>
  )
}

/** The same image and step among the other runs of the experiment. */
function Qualitative({ run, prediction }: { run: RunDetail; prediction: PredictionEntry }) {
  const { from } = runRoute.useSearch()
  const experiment = run.experiments.find(({ id }) => id === from) ?? run.experiments[0]
  if (!experiment) return null
  const cell = isScript(run) ? {} : { train_size: run.train_size, encoder: run.encoder, seed: run.seed }
  return (
    <Link to="/experiments/$experimentId/$tab" params={{ experimentId: String(experiment.id), tab: 'qualitative' }} search={{ ...cell, step: prediction.step, frame: prediction.frame_id }}>
      Beside other runs
    </Link>
  )
}

/** The range is that of the ground truth of all `frames`: another image keeps its colours. */
function Tiles({ run, predictions, frames }: { run: RunDetail; predictions: PredictionEntry[]; frames: number[] }) {
  const losses = useLosses()
  const root = useRef<HTMLDivElement>(null)
  const [cursor, setCursor] = useState<Cursor | null>(null)
  const [zoom, setZoom] = useState<string | undefined>()
  useZoom(root, { text: zoom, onText: setZoom, onCursor: setCursor, onPin: () => undefined })
  const first = predictions[0]!
  const size = { height: first.height, width: first.width }
  const truthUrl = `/api/frames/${first.frame_id}/depth`
  const rgbUrl = `/api/frames/${first.frame_id}/rgb`
  const pictured = useHasPicture(rgbUrl, isScript(run))
  const [truth, ...maps] = useQueries({ queries: [depthQuery(truthUrl, size.height, size.width), ...predictions.map((p) => depthQuery(p.url, p.height, p.width))] }).map((q) => q.data)
  const truths = useQueries({ queries: frames.map((id) => depthQuery(`/api/frames/${id}/depth`, size.height, size.width)), combine: (all) => all.flatMap((q) => q.data ?? []) })
  const known = truths.some(isThere)
  // A script may have shown no ground truth: its own maps give the range then.
  const shown = known ? truths : maps.flatMap((map) => map ?? [])
  const range = useMemo(() => depthRange(shown), [known, truths, maps.filter(Boolean).length])
  const colouring: Colouring = useMemo(() => ({ view: 'depth', map: 'depth', range, limit: 1 }), [range])
  const withTruth = truth === undefined || isThere(truth)
  const errors = predictions.map((prediction, i) => prediction.metrics.rmse ?? rmseOf(maps[i], truth))
  const columns = predictions.length + Number(pictured) + Number(withTruth)
  return (
    <>
      <div ref={root} className={classes.tiles}>
        <div className={classes.strip} data-tile-row={0} style={{ gridTemplateColumns: `repeat(${columns}, minmax(64px, 150px))` }}>
          {pictured && (
            <Tile caption="Image">
              <PictureTile url={rgbUrl} {...size} label={`${first.frame}, photograph`}>
                {cursor && <Ring cursor={cursor} zoom={zoom} />}
              </PictureTile>
            </Tile>
          )}
          {withTruth && (
            <Tile caption="Ground truth">
              <DepthTile url={truthUrl} {...size} colouring={colouring} label={`${first.frame}, ground truth`}>
                <Reading cursor={cursor} zoom={zoom} map={truth} missing="no ground truth" />
              </DepthTile>
            </Tile>
          )}
          {predictions.map((prediction, i) => (
            <Tile key={prediction.id} caption={placeWords(prediction, i === 0)} below={errors[i] === null || errors[i] === undefined ? '' : metric(errors[i], losses.metric('rmse'))}>
              <DepthTile url={prediction.url} {...size} colouring={colouring} label={`${prediction.frame} at step ${prediction.step}`}>
                <Reading cursor={cursor} zoom={zoom} map={maps[i]} truth={truth} missing="not finite" />
              </DepthTile>
            </Tile>
          ))}
        </div>
      </div>
      <p className="secondary num">
        One range, {fixed(range[0], 1)}–{fixed(range[1], 1)} m. {errors.some((error) => error != null) && 'Under each tile its RMSE in metres. '}Last at step {count(predictions.at(-1)!.step)}.
        {!withTruth && ' No ground truth was given.'}
      </p>
    </>
  )
}

function Tile({ caption, below, children }: { caption: string; below?: string; children: ReactNode }) {
  return (
    <figure>
      <figcaption className="num">{caption}</figcaption>
      {children}
      {below && <span className={`${classes.tileMetric} num`}>{below}</span>}
    </figure>
  )
}

/** `Epoch 1`, then `2`, `4` … */
function placeWords({ epoch, step }: PredictionEntry, first: boolean): string {
  if (epoch <= 0) return first ? `Step ${count(step)}` : count(step)
  const place = fixed(epoch, epoch < 10 && !Number.isInteger(epoch) ? 1 : 0)
  return first ? `Epoch ${place}` : place
}

function isThere(map: DepthMap): boolean {
  return map.values.some((value) => value > 0)
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
