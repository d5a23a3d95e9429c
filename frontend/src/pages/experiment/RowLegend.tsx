import { LossGlyph } from '../../components/LossGlyph'
import { TRUTH } from '../../lib/qualitative'
import classes from './Qualitative.module.css'
import type { Viewed } from './useQualitative'

/** Ground truth and the two compared; the others are drawn faint. */
export function RowLegend({ viewed, truth }: { viewed: Viewed; truth: boolean }) {
  const { grid, pair } = viewed
  const sides = [...new Set([pair.a, pair.b])].filter((side) => side !== TRUTH)
  return (
    <span className={classes.keys}>
      {truth && (
        <span className={classes.key}>
          <span className={classes.truthLine} /> ground truth
        </span>
      )}
      {sides.map((side) => (
        <span key={side} className={classes.key}>
          <LossGlyph name={grid.columns[side]!.mark} line /> {grid.columns[side]!.label}
        </span>
      ))}
      {grid.columns.length > sides.length && <span className="secondary">others faint</span>}
    </span>
  )
}
