import { tilePoint, parseView } from '../../lib/zoom'
import { fixed, signed } from '../../lib/format'
import classes from './Readout.module.css'
import type { Cursor } from './useZoom'

/** The cursor in a tile: a ring at the same image point as in all tiles of its row. */
export function Ring({ cursor, zoom }: { cursor: Cursor; zoom: unknown }) {
  const { u, v } = tilePoint(parseView(zoom), cursor.u, cursor.v)
  if (u < 0 || u > 1 || v < 0 || v > 1) return null
  return <span className={classes.ring} style={{ left: `${100 * u}%`, top: `${100 * v}%` }} />
}

/** −0.001 m is shown as 0.00, without a sign. */
export function rounded(metres: number): number {
  return Number(metres.toFixed(2))
}

/** Metres under the cursor, with the error behind them where there is ground truth. */
export function Metres({ depth, error, relative, missing }: { depth: number | null; error?: number | null; relative?: number | null; missing: string }) {
  return (
    <span className={`${classes.chip} num`}>
      {depth === null ? missing : `${fixed(depth, 2)} m`}
      {error != null && <span className={classes.error}>{signed(rounded(error), 2)}</span>}
      {relative != null && <span className={classes.error}>{signed(100 * relative, 0)} %</span>}
    </span>
  )
}
