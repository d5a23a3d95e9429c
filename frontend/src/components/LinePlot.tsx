import { useElementSize } from '@mantine/hooks'
import { useId, useMemo, type PointerEvent } from 'react'

import { fixed } from '../lib/format'
import { placeLabels, type Box, type Point } from '../lib/labels'
import type { LossToken } from '../lib/losses'
import classes from './LinePlot.module.css'

export interface PlotLine {
  key: string
  /** beside the line; none leaves it without a name */
  label?: string
  token: LossToken | null
  strong?: boolean
  faint?: boolean
  points: readonly Point[]
}
export interface PlotAxis {
  low: number
  high: number
  ticks: readonly number[]
  title?: string
}
export interface PlotMark {
  at: number
  label?: string
  solid?: boolean
}
export interface PlotDot extends Point {
  key: string
  token: LossToken | null
}

interface Props {
  lines: readonly PlotLine[]
  dots?: readonly PlotDot[]
  x: PlotAxis
  y: PlotAxis
  /** upright lines, such as a threshold */
  marks?: readonly PlotMark[]
  cursor?: number | null
  onCursor?: (x: number | null) => void
  height?: number
  /** what a screen reader calls the drawing */
  label: string
}

const MARGIN = { left: 36, title: 12, right: 8, top: 8, bottom: 38 }

/** A small figure of computed curves, in the figures' own look but drawn at once: it follows a slider. */
export function LinePlot({ lines, dots = [], x, y, marks = [], cursor = null, onCursor, height = 268, label }: Props) {
  const { ref, width } = useElementSize<HTMLDivElement>()
  const clip = useId()
  const left = MARGIN.left + (y.title ? MARGIN.title : 0)
  const box: Box = { left, right: Math.max(left + 1, width - MARGIN.right), top: MARGIN.top, bottom: height - MARGIN.bottom }
  const scale = { x: linear(x, box.left, box.right), y: linear(y, box.bottom, box.top) }
  const move = (event: PointerEvent<SVGSVGElement>) => {
    const at = event.clientX - event.currentTarget.getBoundingClientRect().left
    onCursor?.(at < box.left || at > box.right ? null : x.low + ((at - box.left) / (box.right - box.left)) * (x.high - x.low))
  }
  return (
    <div ref={ref} className={classes.plot} style={{ height }}>
      {width > 0 && (
        <svg width={width} height={height} role="img" aria-label={label} onPointerMove={onCursor && move} onPointerLeave={onCursor && (() => onCursor(null))}>
          <clipPath id={clip}>
            <rect x={box.left} y={box.top} width={box.right - box.left} height={box.bottom - box.top} />
          </clipPath>
          <Grid x={x} y={y} box={box} scale={scale} />
          {marks.map((mark) => (
            <line key={`${mark.at}`} x1={scale.x(mark.at)} x2={scale.x(mark.at)} y1={box.top} y2={box.bottom} stroke="var(--db-text)" strokeWidth="1" strokeDasharray={mark.solid ? undefined : '1 4'} />
          ))}
          <g clipPath={`url(#${clip})`}>
            {lines.map((line) => (
              <Line key={line.key} line={line} scale={scale} />
            ))}
          </g>
          {cursor !== null && <line x1={scale.x(cursor)} x2={scale.x(cursor)} y1={box.top} y2={box.bottom} stroke="var(--db-text)" strokeWidth="1" />}
          {dots.map((dot) => (
            <circle key={dot.key} cx={scale.x(dot.x)} cy={scale.y(dot.y)} r="4" style={{ fill: ink(dot.token) }} stroke="var(--db-page)" strokeWidth="1.5" />
          ))}
          <Labels lines={lines} marks={marks} box={box} scale={scale} />
        </svg>
      )}
    </div>
  )
}

interface Scale {
  x: (value: number) => number
  y: (value: number) => number
}

const linear = ({ low, high }: PlotAxis, from: number, to: number) => (value: number) => from + ((value - low) / (high - low)) * (to - from)
const ink = (token: LossToken | null) => (token ? `light-dark(${token.light}, ${token.dark})` : 'var(--db-text)')

function Grid({ x, y, box, scale }: { x: PlotAxis; y: PlotAxis; box: Box; scale: Scale }) {
  return (
    <>
      {x.ticks.map((tick) => (
        <g key={tick}>
          <line x1={scale.x(tick)} x2={scale.x(tick)} y1={box.top} y2={box.bottom} stroke="var(--db-grid)" />
          <text x={scale.x(tick)} y={box.bottom + 15} textAnchor="middle" className={classes.tick}>
            {tickText(tick, x.ticks)}
          </text>
        </g>
      ))}
      {y.ticks.map((tick) => (
        <g key={tick}>
          <line x1={box.left} x2={box.right} y1={scale.y(tick)} y2={scale.y(tick)} stroke="var(--db-grid)" />
          <text x={box.left - 6} y={scale.y(tick) + 4} textAnchor="end" className={classes.tick}>
            {tickText(tick, y.ticks)}
          </text>
        </g>
      ))}
      <path d={`M${box.left} ${box.top}V${box.bottom}H${box.right}`} fill="none" stroke="var(--db-line)" />
      {x.title && (
        <text x={(box.left + box.right) / 2} y={box.bottom + 32} textAnchor="middle" className={classes.tick}>
          {x.title}
        </text>
      )}
      {y.title && (
        <text transform={`translate(${box.left - 37} ${(box.top + box.bottom) / 2}) rotate(-90)`} textAnchor="middle" className={classes.tick}>
          {y.title}
        </text>
      )}
    </>
  )
}

function tickText(tick: number, all: readonly number[]): string {
  return fixed(tick, all.every(Number.isInteger) ? 0 : all.every((t) => Number.isInteger(10 * t)) ? 1 : 2)
}

function Line({ line, scale }: { line: PlotLine; scale: Scale }) {
  const d = line.points.map((p, i) => `${i ? 'L' : 'M'}${scale.x(p.x).toFixed(1)} ${scale.y(p.y).toFixed(1)}`).join('')
  const width = line.strong ? 2.75 : 1.5
  return <path d={d} fill="none" style={{ stroke: ink(line.token) }} strokeWidth={width} strokeDasharray={line.token?.dash.join(' ') || undefined} opacity={line.faint ? 0.4 : 1} strokeLinejoin="round" />
}

function Labels({ lines, marks, box, scale }: { lines: readonly PlotLine[]; marks: readonly PlotMark[]; box: Box; scale: Scale }) {
  const named = marks.filter((mark) => mark.label)
  const placed = useMemo(() => {
    const names = named.map((mark) => ({ left: scale.x(mark.at), right: scale.x(mark.at) + 18, top: box.top, bottom: box.top + 16 }))
    const taken = [...names, ...marks.map((mark) => ({ left: scale.x(mark.at) - 1, right: scale.x(mark.at) + 1, top: box.top, bottom: box.bottom }))]
    const inPixels = lines.filter((line) => line.label).map((line) => ({ label: line.label!, points: line.points.map((p) => ({ x: scale.x(p.x), y: scale.y(p.y) })) }))
    return placeLabels(inPixels.toSorted((a, b) => Number(isStrong(lines, b.label)) - Number(isStrong(lines, a.label))), box, taken)
    // The scale follows from the box and the axes, which come new with the lines.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [lines, box.right, box.bottom])
  return (
    <>
      {named.map((mark) => (
        <text key={mark.label} x={scale.x(mark.at) + 4} y={box.top + 10} className={classes.label}>
          {mark.label}
        </text>
      ))}
      {placed.map((at) => (
        <text key={at.label} x={at.x} y={at.y} textAnchor={at.anchor} className={classes.label} data-strong={isStrong(lines, at.label) || undefined}>
          {at.label}
        </text>
      ))}
    </>
  )
}

function isStrong(lines: readonly PlotLine[], label: string): boolean {
  return lines.some((line) => line.label === label && line.strong)
}
