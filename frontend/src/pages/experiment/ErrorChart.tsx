import { useMemo } from 'react'

import { Chart } from '../../components/Chart'
import { useScheme } from '../../components/useScheme'
import { errorHistogram } from '../../lib/depth'
import { fixed, percent } from '../../lib/format'
import { errorFigure } from '../../lib/rowFigure'
import { useLines, type RowMaps } from './CursorPanel'
import classes from './Qualitative.module.css'
import { RowLegend } from './RowLegend'
import type { Viewed } from './useQualitative'

const BINS = 61
/** How far beyond the end of the error's colours the axis goes. */
const WIDER = 1.5

/** The signed errors of the whole image, run by run. */
export function ErrorChart({ viewed, maps }: { viewed: Viewed; maps: RowMaps }) {
  const scheme = useScheme()
  const lines = useLines(viewed)
  const limit = WIDER * (viewed.look.view === 'error' ? viewed.look.limit : viewed.metres)
  const key = JSON.stringify(lines)
  const { truth, runs } = maps
  const made = useMemo(() => {
    if (!truth) return null
    const counted = lines.flatMap((line, i) => (runs[i] ? [{ line, ...errorHistogram(runs[i], truth, limit, BINS) }] : []))
    const centres = Array.from({ length: BINS }, (_, i) => -limit + ((i + 0.5) * 2 * limit) / BINS)
    const figure = errorFigure(centres, counted.map(({ line, counts, total }) => ({ ...line, shares: counts.map((n) => (100 * n) / Math.max(1, total)) })), scheme)
    const beyond = Math.max(0, ...counted.map(({ below, above, total }) => (below + above) / Math.max(1, total)))
    return { figure, beyond }
  }, [key, truth, ...runs, limit, scheme])
  if (!made) return <p className={classes.hint}>This image has no ground truth, so there is no error.</p>
  return (
    <>
      <div className={classes.legend}>
        <RowLegend viewed={viewed} truth={false} />
        <span className="secondary num">
          whole image{made.beyond >= 0.001 && `; up to ${percent(made.beyond, 1)} of a run lie beyond ±${fixed(limit, 2)} m`}
        </span>
      </div>
      <Chart figure={made.figure} height={230} label="Histogram of signed errors of the image, a line a run" />
    </>
  )
}
