/** What a run took of its machine: the `system/…` curves that workers record, as rows of one panel. */

import type { RunCurves } from '../api/types'
import { fixed } from './format'

export interface Resource {
  key: string
  /** of the machine: `GPU 1`, or empty */
  of: string
  name: string
  values: readonly (number | null)[]
  /** the top of the drawn scale: what 100 % is */
  full: number
  now: string
}

const NAMES: Record<string, string> = { utilisation: 'Use', memory: 'Memory', power: 'Power', temperature: 'Temperature', cpu: 'CPU' }
const ORDER = ['utilisation', 'memory', 'power', 'temperature', 'cpu']

/** GPUs first, each with its rows in the order people ask for them; then the process itself. */
export function resources(curves: RunCurves | undefined): Resource[] {
  const found = Object.entries(curves?.series ?? {}).flatMap(([key, series]): Resource[] => {
    const match = /^system\/(?:gpu(\d+)\/)?(\w+)$/.exec(key)
    if (!match || !NAMES[match[2]!]) return []
    const [, gpu, kind] = match as unknown as [string, string | undefined, string]
    const last = series.value.findLast((value) => value !== null) ?? null
    return [{ key, of: gpu === undefined ? '' : `GPU ${gpu}`, name: NAMES[kind]!, values: series.value, full: fullOf(kind, series.value), now: last === null ? '–' : words(kind, last) }]
  })
  const rank = (row: Resource) => ORDER.indexOf(row.key.slice(row.key.lastIndexOf('/') + 1))
  return found.toSorted((a, b) => Number(a.of === '') - Number(b.of === '') || a.of.localeCompare(b.of, 'en', { numeric: true }) || rank(a) - rank(b))
}

/** Shares are drawn on 0–100; what has no end by nature on 0 to its most. */
function fullOf(kind: string, values: readonly (number | null)[]): number {
  const most = values.reduce<number>((top, value) => Math.max(top, value ?? 0), 0)
  if (kind === 'utilisation') return 100
  if (kind === 'cpu') return Math.max(100, Math.ceil(most / 100) * 100)
  return most > 0 ? 1.1 * most : 1
}

function words(kind: string, value: number): string {
  if (kind === 'memory') return `${fixed(value, value < 10 ? 1 : 0)} GB`
  const unit = { utilisation: '%', cpu: '%', power: 'W', temperature: '°C' }[kind]
  return `${fixed(value, 0)} ${unit}`
}
