import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useEffect, useMemo, useRef, type ReactNode } from 'react'

import { depthQuery } from '../../api/queries'
import type { Colouring } from '../../lib/colouring'
import type { DepthMap } from '../../lib/depth'
import { masking, metresOf } from '../../lib/prepared'
import { painted, Painter } from './painter'
import classes from './Tile.module.css'
import { useSeen } from './useSeen'

export type { Colouring }

interface Size {
  height: number
  width: number
}

interface Props extends Size {
  url: string
  /** of this tile alone … */
  colouring?: Colouring
  /** … or what colours it together with others */
  painter?: Painter
  /** a prediction: it shows its error when errors are shown */
  compared?: boolean
  truth?: DepthMap
  /** brought to the ground truth's median */
  scaled?: boolean
  /** hatched where the ground truth is missing */
  mask?: boolean
  label: string
  /** lies on the image, and is zoomed with it */
  overlay?: ReactNode
  children?: ReactNode
}

const NO_COLOURING: Colouring = { view: 'depth', map: 'depth', range: [0, 10], limit: 1 }

/** Raw depth, coloured here: another range or map needs no request. */
export function DepthTile({ url, height, width, colouring, painter, compared = false, truth, scaled = false, mask = false, label, overlay, children }: Props) {
  const tile = useRef<HTMLDivElement>(null)
  const seen = useSeen(tile)
  // The old map stays until the new one is here: a slider that is dragged must not flicker.
  const query = useQuery({ ...depthQuery(url, height, width), placeholderData: keepPreviousData, enabled: seen })
  const canvas = useRef<HTMLCanvasElement>(null)
  const depth = query.data && masking(metresOf(query.data, truth, scaled), truth, mask)
  const used = useMemo(() => painter ?? new Painter(colouring ?? NO_COLOURING), [painter, colouring])

  useEffect(() => {
    const found = depth && canvas.current && painted(canvas.current, depth, compared, truth)
    return found ? used.add(found) : undefined
  }, [depth, truth, compared, used])

  return (
    <div ref={tile} className={classes.tile} style={{ aspectRatio: `${width} / ${height}` }} data-tile data-failed={query.error ? true : undefined}>
      <div className={classes.zoomed}>
        <canvas ref={canvas} width={width} height={height} className={classes.image} role="img" aria-label={label} data-drawn={depth ? true : undefined} />
        {overlay}
      </div>
      {query.error && (
        <button type="button" className={classes.retry} onClick={() => void query.refetch()}>
          not loaded, retry
        </button>
      )}
      {children}
    </div>
  )
}

interface PictureProps extends Size {
  url: string | null
  label: string
  overlay?: ReactNode
  children?: ReactNode
}

export function PictureTile({ url, height, width, label, overlay, children }: PictureProps) {
  return (
    <div className={classes.tile} style={{ aspectRatio: `${width} / ${height}` }} data-tile>
      <div className={classes.zoomed}>
        {url && <img src={url} width={width} height={height} className={classes.image} alt={label} draggable={false} loading="lazy" />}
        {overlay}
      </div>
      {children}
    </div>
  )
}

/** Where a run has not predicted this image yet. */
export function EmptyTile({ height, width, children }: Size & { children: ReactNode }) {
  return (
    <div className={classes.empty} style={{ aspectRatio: `${width} / ${height}` }}>
      {children}
    </div>
  )
}
