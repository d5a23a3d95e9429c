import { useEffect, useRef } from 'react'

import type { DepthMap } from '../../lib/depth'
import { EDGE_COLOUR } from '../../lib/edges'
import type { Line } from '../../lib/line'
import { edgesOf } from '../../lib/prepared'
import classes from './Tile.module.css'

/** The edges of the ground truth, over whatever a tile shows. */
export function Edges({ truth }: { truth: DepthMap }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    const context = canvas.current?.getContext('2d')
    if (!context) return
    const image = context.createImageData(truth.width, truth.height)
    edgesOf(truth).forEach((edge, i) => edge && image.data.set([...EDGE_COLOUR, 255], 4 * i))
    context.putImageData(image, 0, 0)
  }, [truth])
  return <canvas ref={canvas} width={truth.width} height={truth.height} className={classes.overlay} aria-hidden />
}

/** The line of the profile, with its ends named. */
export function LineMark({ line, named }: { line: Line; named: boolean }) {
  const at = { x1: 100 * line.au, y1: 100 * line.av, x2: 100 * line.bu, y2: 100 * line.bv }
  const ends = { x1: `${at.x1}%`, y1: `${at.y1}%`, x2: `${at.x2}%`, y2: `${at.y2}%` }
  return (
    <>
      <svg className={classes.overlay} aria-hidden>
        <line {...ends} className={classes.lineBack} />
        <line {...ends} className={classes.lineFront} />
      </svg>
      {named && (
        <>
          <span className={classes.end} style={{ left: ends.x1, top: ends.y1 }}>
            A
          </span>
          <span className={classes.end} style={{ left: ends.x2, top: ends.y2 }}>
            B
          </span>
        </>
      )}
    </>
  )
}
