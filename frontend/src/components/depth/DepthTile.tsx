import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useEffect, useRef, type ReactNode } from 'react'

import { depthQuery } from '../../api/queries'
import { colourDepth, colourError, type ColourMap, type DepthMap, type View } from '../../lib/depth'
import classes from './Tile.module.css'

export interface Colouring {
  view: View
  map: ColourMap
  /** metres, one range for all tiles */
  range: readonly [number, number]
  /** of the error, metres or a share */
  limit: number
}

interface Props {
  url: string
  height: number
  width: number
  colouring: Colouring
  /** needed for an error */
  truth?: DepthMap
  label: string
  children?: ReactNode
}

/** Raw depth, coloured here: another range or map needs no request. */
export function DepthTile({ url, height, width, colouring, truth, label, children }: Props) {
  // The old map stays until the new one is here: a slider that is dragged must not flicker.
  const query = useQuery({ ...depthQuery(url, height, width), placeholderData: keepPreviousData })
  const canvas = useRef<HTMLCanvasElement>(null)
  const depth = query.data

  useEffect(() => {
    const context = canvas.current?.getContext('2d')
    const pixels = depth && paint(depth, truth, colouring)
    if (context && pixels) context.putImageData(new ImageData(pixels, depth.width, depth.height), 0, 0)
  }, [depth, truth, colouring])

  return (
    <div className={classes.tile} style={{ aspectRatio: `${width} / ${height}` }} data-tile data-failed={query.error ? true : undefined}>
      <div className={classes.zoomed}>
        <canvas ref={canvas} width={width} height={height} className={classes.image} role="img" aria-label={label} />
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

function paint(depth: DepthMap, truth: DepthMap | undefined, { view, map, range, limit }: Colouring) {
  if (view === 'depth') return colourDepth(depth, range[0], range[1], map)
  return truth && truth.values.length === depth.values.length ? colourError(depth, truth, limit, view === 'relative') : undefined
}

interface PictureProps {
  url: string
  height: number
  width: number
  label: string
  children?: ReactNode
}

export function PictureTile({ url, height, width, label, children }: PictureProps) {
  return (
    <div className={classes.tile} style={{ aspectRatio: `${width} / ${height}` }} data-tile>
      <div className={classes.zoomed}>
        <img src={url} width={width} height={height} className={classes.image} alt={label} draggable={false} loading="lazy" />
      </div>
      {children}
    </div>
  )
}

/** Where a run has not predicted this image yet. */
export function EmptyTile({ height, width, children }: { height: number; width: number; children: ReactNode }) {
  return (
    <div className={classes.empty} style={{ aspectRatio: `${width} / ${height}` }}>
      {children}
    </div>
  )
}
