import { sparkPath, type Spark } from '../../lib/runTable'
import classes from './Runs.module.css'

const WIDTH = 108
const HEIGHT = 16

/** A run's metric over its evaluations; all rows share one range of y. */
export function Sparkline({ line, range, diverged, label }: { line?: Spark; range: readonly [number, number] | null; diverged: boolean; label: string }) {
  if (!line || !range) return null
  const last = line.y.findLast((y) => y !== null)
  return (
    <svg width={WIDTH + 4} height={HEIGHT + 4} viewBox={`-2 -2 ${WIDTH + 4} ${HEIGHT + 4}`} className={classes.spark} data-diverged={diverged || undefined} role="img" aria-label={`${label} over training${last == null ? '' : `, last ${last}`}`}>
      {line.y.length === 1 ? <circle cx={line.x[0]! * WIDTH} cy={HEIGHT / 2} r="1.5" /> : <path d={sparkPath(line, range, WIDTH, HEIGHT)} />}
    </svg>
  )
}
