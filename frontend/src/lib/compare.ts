/** The comparison of runs apart from its drawing: which runs, what tells them apart, which point of a figure was meant. */

import type { DifferenceRow } from '../api/types'
import type { PlotlyFigure } from './figure'

export const MOST_COMPARED = 20

/** `1,5,9`: each run once, in the order in which they were chosen. */
export function parseIds(text: string | undefined): number[] {
  const ids = (text ?? '').split(',').map((part) => Number(part.trim()))
  return [...new Set(ids.filter((id) => Number.isInteger(id) && id > 0))]
}

export function withRun(ids: readonly number[], id: number): string {
  return [...ids.filter((other) => other !== id), id].join(',')
}

export function withoutRun(ids: readonly number[], id: number): string | undefined {
  return ids.filter((other) => other !== id).join(',') || undefined
}

/** Which values of a row stand out: those that fewer runs have than the commonest; where all are different, every one. */
export function oddOnes(values: readonly unknown[]): boolean[] {
  const keys = values.map((value) => JSON.stringify(value ?? null))
  const counts = new Map<string, number>()
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1)
  const most = Math.max(...counts.values())
  const common = [...counts].filter(([, n]) => n === most).map(([key]) => key)
  return keys.map((key) => counts.size > 1 && !(common.length === 1 && common[0] === key))
}

const GROUPS: { group: DifferenceRow['group']; title: string }[] = [
  { group: 'setting', title: 'Settings' },
  { group: 'data', title: 'Data' },
  { group: 'code', title: 'Code' },
  { group: 'environment', title: 'Environment' },
]

/** Rows by what they are about, in a fixed order. */
export function byGroup(rows: readonly DifferenceRow[]): { title: string; rows: DifferenceRow[] }[] {
  return GROUPS.map(({ group, title }) => ({ title, rows: rows.filter((row) => row.group === group) })).filter((part) => part.rows.length > 0)
}

export interface ImagePoint {
  position: number
  name: string
  /** where its depth maps are shown; empty where none are kept */
  link: string
}

/** The image that a point of the paired figure stands for. */
export function imageOf(customdata: unknown): ImagePoint | null {
  if (!Array.isArray(customdata) || typeof customdata[0] !== 'number') return null
  return { position: customdata[0], name: unescaped(String(customdata[1])), link: String(customdata[2] ?? '') }
}

/** The images of a paired figure whose depth maps are kept. */
export function linkedImages(figure: PlotlyFigure): ImagePoint[] {
  const points = figure.data.filter((trace) => trace.meta?.role === 'images').flatMap((trace) => trace.customdata ?? [])
  return points.map(imageOf).filter((point): point is ImagePoint => point !== null && point.link !== '').toSorted((a, b) => a.position - b.position)
}

/** Names come escaped, since Plotly reads tags in texts. */
function unescaped(text: string): string {
  const signs: Record<string, string> = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#x27;': "'", '&amp;': '&' }
  return text.replace(/&(?:lt|gt|quot|#x27|amp);/g, (sign) => signs[sign]!)
}
