/** What part of its axes a chart shows, as the address keeps it: `x:2,5;y2:0.4,0.5`, in an axis's own coordinates. */

import { axisKey, type Layout, type PanelBox } from './figure'

export type Range = readonly [number, number]
/** axis (`x`, `y2` …) → what is shown of it; axes that are left out show all */
export type AxisZoom = Readonly<Record<string, Range>>

interface Axis {
  range?: Range
  autorange?: boolean
}

export function parseAxisZoom(text: unknown): AxisZoom {
  if (typeof text !== 'string') return {}
  const parts = text.split(';').map((part) => /^([xy]\d*):([^,]+),([^,]+)$/.exec(part))
  return Object.fromEntries(
    parts.flatMap((part) => {
      const [low, high] = [Number(part?.[2]), Number(part?.[3])]
      return part && Number.isFinite(low) && Number.isFinite(high) && low !== high ? [[part[1]!, [low, high] as Range]] : []
    }),
  )
}

export function axisZoomText(zoom: AxisZoom): string | undefined {
  const parts = Object.entries(zoom).toSorted(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
  return parts.map(([axis, [low, high]]) => `${axis}:${short(low)},${short(high)}`).join(';') || undefined
}

function short(value: number): string {
  return Number(value.toPrecision(6)).toString()
}

const axesOf = (layout: Record<string, unknown>) => Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key))
const nameOf = (key: string) => `${key[0]}${key.slice(5)}`

/** What of `full`, the chart as it is drawn, differs from the whole figure's axes. */
export function zoomOf(layout: Layout, full: Record<string, unknown>): AxisZoom {
  return Object.fromEntries(
    axesOf(full).flatMap((key) => {
      const drawn = full[key] as Axis & { visible?: boolean }
      const whole = (layout[key] as Axis | undefined)?.range
      const same = whole ? drawn.range && close(drawn.range, whole) : drawn.autorange !== false
      return same || !drawn.range || drawn.visible === false ? [] : [[nameOf(key), [drawn.range[0], drawn.range[1]] as Range]]
    }),
  )
}

function close(a: Range, b: Range): boolean {
  const span = Math.abs(b[1] - b[0]) || 1
  return Math.abs(a[0] - b[0]) < 1e-5 * span && Math.abs(a[1] - b[1]) < 1e-5 * span
}

/** The layout with `zoom` in place of its own ranges. */
export function withZoom(layout: Layout, zoom: AxisZoom): Layout {
  const zoomed = Object.entries(zoom).flatMap(([axis, range]) => (layout[axisKey(axis)] ? [[axisKey(axis), { ...(layout[axisKey(axis)] as object), range: [...range], autorange: false }]] : []))
  return { ...layout, ...Object.fromEntries(zoomed) }
}

/** What brings the chart that is drawn to `zoom`, for Plotly's relayout; empty where it is there. */
export function zoomUpdate(layout: Layout, full: Record<string, unknown>, zoom: AxisZoom): Record<string, unknown> {
  const changes = axesOf(full).flatMap((key): [string, unknown][] => {
    const drawn = full[key] as Axis
    const wanted = zoom[nameOf(key)] ?? (layout[key] as Axis | undefined)?.range
    if (wanted) return drawn.range && close(drawn.range, wanted) ? [] : [[`${key}.range`, [...wanted]]]
    return drawn.autorange === false ? [[`${key}.autorange`, true]] : []
  })
  return Object.fromEntries(changes)
}

/** All panels show the share of their x axis that the changed panel shows. */
export function synced(zoom: AxisZoom, before: AxisZoom, whole: Readonly<Record<string, Range>>): AxisZoom {
  const axes = Object.keys(whole).filter((axis) => axis.startsWith('x'))
  const lead = axes.find((axis) => !sameRange(zoom[axis], before[axis]))
  const rest = Object.fromEntries(Object.entries(zoom).filter(([axis]) => !axis.startsWith('x')))
  if (!lead) return zoom
  const [low, high] = zoom[lead] ?? whole[lead]!
  const [start, end] = whole[lead]!
  const share = [(low - start) / (end - start), (high - start) / (end - start)] as const
  if (!zoom[lead]) return rest
  const shared = axes.map((axis): [string, Range] => {
    const [from, to] = whole[axis]!
    return [axis, [from + share[0] * (to - from), from + share[1] * (to - from)]]
  })
  return { ...rest, ...Object.fromEntries(shared) }
}

function sameRange(a: Range | undefined, b: Range | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && close(a, b))
}

/** The whole x axes of a figure's panels. */
export function wholeAxes(boxes: readonly PanelBox[], layout: Layout): Record<string, Range> {
  return Object.fromEntries(
    boxes.flatMap(({ axis }) => {
      const range = (layout[axisKey(axis)] as Axis | undefined)?.range
      return range ? [[axis, range]] : []
    }),
  )
}
