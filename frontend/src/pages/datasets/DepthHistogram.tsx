import { useElementSize } from '@mantine/hooks'

import type { DatasetReport } from '../../api/types'
import { niceTicks } from '../../lib/axis'
import { fixed, percent } from '../../lib/format'
import { bars, type Bar } from '../../lib/histogram'
import classes from './Datasets.module.css'

const HEIGHT = 210
const MARGIN = { left: 40, right: 8, top: 18, bottom: 36 }
/** Where the network's output ends: the axis of every dataset. */
const FAR = 10
const METRES = Array.from({ length: FAR + 1 }, (_, i) => i)

/** How often each depth occurs, on an axis that all datasets share. */
export function DepthHistogram({ report }: { report: DatasetReport }) {
  const { ref, width } = useElementSize<HTMLDivElement>()
  const found = report.histogram ? bars(report.histogram) : []
  if (found.length === 0 || !report.depth) return null
  const top = Math.max(...found.map((bar) => bar.share))
  const ticks = niceTicks(0, top, 5).filter((tick) => tick <= top * 1.02)
  const end = Math.max(FAR, ...found.map((bar) => bar.from)) + report.histogram!.bin_metres
  const x = (metres: number) => MARGIN.left + ((width - MARGIN.left - MARGIN.right) * metres) / end
  const y = (share: number) => HEIGHT - MARGIN.bottom - ((HEIGHT - MARGIN.top - MARGIN.bottom) * share) / top
  return (
    <div ref={ref} className={classes.histogram} style={{ height: HEIGHT }}>
      {width > 0 && (
        <svg width={width} height={HEIGHT} role="img" aria-label={`Depth histogram: median ${fixed(report.depth.median, 2)} m`}>
          {ticks.map((tick) => (
            <g key={tick}>
              <line x1={MARGIN.left} x2={width - MARGIN.right} y1={y(tick)} y2={y(tick)} stroke="var(--db-grid)" />
              <text x={MARGIN.left - 6} y={y(tick) + 4} textAnchor="end">
                {percent(tick, ticks.some((t) => !Number.isInteger(100 * t)) ? 1 : 0)}
              </text>
            </g>
          ))}
          {found.map((bar) => (
            <rect key={bar.from} x={x(bar.from) + 0.5} width={Math.max(1, x(bar.to ?? end) - x(bar.from) - 1)} y={y(bar.share)} height={y(0) - y(bar.share)} fill="var(--db-done)">
              <title>{words(bar)}</title>
            </rect>
          ))}
          <Mark at={x(report.depth.median)} label={`median ${fixed(report.depth.median, 2)} m`} bottom={y(0)} />
          <line x1={MARGIN.left} x2={width - MARGIN.right} y1={y(0)} y2={y(0)} stroke="var(--db-line)" />
          {METRES.map((metres) => (
            <text key={metres} x={x(metres)} y={HEIGHT - MARGIN.bottom + 15} textAnchor="middle">
              {metres}
            </text>
          ))}
          <text x={(MARGIN.left + width) / 2} y={HEIGHT - 4} textAnchor="middle">
            depth (m)
          </text>
        </svg>
      )}
    </div>
  )
}

function Mark({ at, label, bottom }: { at: number; label: string; bottom: number }) {
  return (
    <>
      <line x1={at} x2={at} y1={4} y2={bottom} stroke="var(--db-text)" strokeDasharray="1 3" />
      <text x={at + 5} y={13} className={classes.mark}>
        {label}
      </text>
    </>
  )
}

function words({ from, to, share }: Bar): string {
  return `${to === null ? `${fixed(from, 0)} m and more` : `${fixed(from, 2)} to ${fixed(to, 2)} m`}: ${percent(share, 1)} of the pixels with depth`
}
