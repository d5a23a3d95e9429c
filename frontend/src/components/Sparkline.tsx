import { polyline } from '../lib/axis'
import { thinned } from '../lib/thinned'

interface Props {
  values: readonly (number | null)[]
  /** the top of the scale; the bottom is 0 */
  full: number
  width: number
  height: number
  label: string
}

const MOST = 200

/** A line over its filled ground, on a scale from 0: how busy something was. */
export function Sparkline({ values, full, width, height, label }: Props) {
  const drawn = thinned(values, MOST)
  const x = (i: number) => (drawn.length < 2 ? width / 2 : (i * width) / (drawn.length - 1))
  const y = (value: number) => height - 1 - (Math.min(full, Math.max(0, value)) / full) * (height - 2)
  const known = drawn.flatMap((value, i) => (value === null ? [] : [i]))
  const path = polyline(drawn, x, y)
  return (
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label} preserveAspectRatio="none" style={{ display: 'block', maxWidth: '100%' }}>
      {known.length > 1 && <path d={`M${x(known[0]!)} ${height}L${path.slice(1).replaceAll('M', 'L')}L${x(known.at(-1)!)} ${height}Z`} fill="var(--db-line)" opacity="0.6" />}
      <path d={`M0 ${height - 0.5}H${width}`} stroke="var(--db-line)" />
      {known.length === 1 ? <circle cx={x(known[0]!)} cy={y(drawn[known[0]!]!)} r="2" fill="var(--db-text2)" /> : <path d={path} fill="none" stroke="var(--db-text2)" strokeWidth="1.25" />}
    </svg>
  )
}
