import { useElementSize } from '@mantine/hooks'

import { niceTicks, polyline } from '../../lib/axis'
import { fixed } from '../../lib/format'
import type { ProfileLine } from '../../lib/rowFigure'
import classes from './Qualitative.module.css'

const HEIGHT = 230
const LEFT = 28
const BOTTOM = 22

/** Depth along one row of pixels: ground truth strong, the losses in their own colours. Drawn here, since it follows the cursor. */
export function ProfileChart({ truth, lines, at }: { truth: (number | null)[]; lines: ProfileLine[]; at: number }) {
  const { ref, width } = useElementSize<HTMLDivElement>()
  const n = Math.max(truth.length, ...lines.map((line) => line.values.length), 2)
  const all = [truth, ...lines.map((line) => line.values)].flat().filter((v): v is number => v !== null)
  const ticks = niceTicks(Math.min(...all), Math.max(...all), 5)
  const [low, high] = [ticks[0] ?? 0, ticks.at(-1) ?? 1]
  const x = (i: number) => LEFT + ((width - LEFT - 4) * i) / (n - 1)
  const y = (v: number) => 6 + (HEIGHT - BOTTOM - 6) * (1 - (v - low) / (high - low || 1))
  const drawn = lines.toSorted((a, b) => Number(a.chosen) - Number(b.chosen))
  return (
    <div ref={ref} className={classes.profile}>
      <svg width={width} height={HEIGHT} role="img" aria-label="Depth along the row of pixels under the cursor">
        {ticks.map((tick) => (
          <g key={tick}>
            <line x1={LEFT} x2={width} y1={y(tick)} y2={y(tick)} stroke="var(--db-grid)" />
            <text x={LEFT - 6} y={y(tick) + 4} textAnchor="end" className={classes.tick}>
              {fixed(tick, Number.isInteger(tick) ? 0 : 1)}
            </text>
          </g>
        ))}
        {drawn.map((line) => (
          <path
            key={line.label}
            d={polyline(line.values, x, y)}
            fill="none"
            style={{ stroke: `light-dark(${line.token.light}, ${line.token.dark})` }}
            strokeWidth={line.chosen ? 2.25 : 1.25}
            opacity={line.chosen ? 1 : 0.45}
            strokeDasharray={line.token.dash.join(' ') || undefined}
          />
        ))}
        <path d={polyline(truth, x, y)} fill="none" stroke="var(--db-text)" strokeWidth="2.6" />
        <line x1={x(at)} x2={x(at)} y1={0} y2={HEIGHT - BOTTOM} stroke="var(--db-text)" />
        <text x={LEFT + (width - LEFT) / 2} y={HEIGHT - 4} textAnchor="middle" className={classes.tick}>
          pixel, left to right
        </text>
      </svg>
    </div>
  )
}
