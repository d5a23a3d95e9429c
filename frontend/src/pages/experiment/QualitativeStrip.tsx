import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'

import { depthQuery, qualitativeQuery } from '../../api/queries'
import type { Qualitative } from '../../api/types'
import { DepthTile, EmptyTile, PictureTile } from '../../components/depth/DepthTile'
import { LossGlyph } from '../../components/LossGlyph'
import { short } from '../../lib/format'
import { lookOf } from '../../lib/look'
import { parsePair, parseSort, tileGrid } from '../../lib/qualitative'
import type { TabProps } from './ExperimentPage'
import classes from './Overview.module.css'

/** One test image through every loss. */
export function QualitativeStrip({ experiment }: TabProps) {
  const { data } = useQuery(qualitativeQuery(experiment.id, {}))
  if (!data || data.frames.length === 0) return null
  const run = data.runs[0]
  return (
    <section aria-label="Qualitative">
      <div className={classes.head}>
        <h2 className="section">
          Qualitative
          {run && (
            <span className={classes.of}>
              , {short(run.train_size)} images, seed {run.seed}
            </span>
          )}
        </h2>
        <Link to="/experiments/$experimentId/$tab" params={{ experimentId: String(experiment.id), tab: 'qualitative' }}>
          Open the viewer
        </Link>
      </div>
      <Strip data={data} />
    </section>
  )
}

function Strip({ data }: { data: Qualitative }) {
  const grid = useMemo(() => tileGrid(data, parseSort(undefined), parsePair(undefined, undefined, data.columns), true), [data])
  const row = grid.rows[0]!
  const { frame } = row
  const size = { height: frame.height, width: frame.width }
  const colouring = useMemo(() => lookOf({}, data), [data])
  useQuery(depthQuery(frame.depth_url, frame.height, frame.width))
  return (
    <div className={classes.strip} style={{ gridTemplateColumns: `repeat(${grid.columns.length + 2}, minmax(64px, 180px))` }}>
      <figure>
        <figcaption>Image</figcaption>
        <PictureTile url={frame.rgb_url} {...size} label={`${frame.frame}, photograph`} />
      </figure>
      <figure>
        <figcaption>Ground truth</figcaption>
        <DepthTile url={frame.depth_url} {...size} colouring={colouring} label={`${frame.frame}, ground truth`} />
      </figure>
      {grid.columns.map((column, i) => (
        <figure key={column.run_id}>
          <figcaption>
            <LossGlyph name={column.mark} /> <span className="ellipsis">{column.label}</span>
          </figcaption>
          {row.predictions[i] ? (
            <DepthTile url={row.predictions[i].url} {...size} colouring={colouring} label={`${frame.frame}, ${column.label}`} />
          ) : (
            <EmptyTile {...size}>not yet</EmptyTile>
          )}
        </figure>
      ))}
    </div>
  )
}
