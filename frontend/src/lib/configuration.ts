/** A run's configuration in two parts: what makes this cell of the grid, and what all its runs share. */

import { settingTitle } from './schema'
import { canonical, isRecord } from './spec'

export type Setting = [path: string, value: unknown]

/** What a group is comes before how it is set. */
const TAGS = new Set(['name', 'kind'])

/** Leaves of a configuration by dotted path; a tagged group such as {name: huber, …} is opened too. */
export function flatten(config: Record<string, unknown>, prefix = ''): Setting[] {
  const entries = Object.entries(config).toSorted(([a], [b]) => Number(TAGS.has(b)) - Number(TAGS.has(a)))
  return entries.flatMap(([key, value]): Setting[] => {
    const path = prefix ? `${prefix}.${key}` : key
    return isRecord(value) ? flatten(value, path) : [[path, value]]
  })
}

const HIDDEN = new Set(['schema_version', 'labels'])

export function splitConfiguration(config: Record<string, unknown>, factors: readonly string[]): { cell: Setting[]; shared: Setting[] } {
  const varied = factors.map(canonical)
  const settings = flatten(config).filter(([path]) => !HIDDEN.has(path.split('.')[0]!))
  const inCell = ([path]: Setting) => varied.some((factor) => path === factor || path.startsWith(`${factor}.`))
  return { cell: settings.filter(inCell), shared: settings.filter((setting) => !inCell(setting)) }
}

/** Each setting's name on the page; one that two groups share has its group before it: `evaluation crop`. */
export function settingNames(settings: readonly Setting[]): string[] {
  const names = settings.map(([path]) => settingTitle(TAGS.has(path.split('.').at(-1)!) ? path.slice(0, path.lastIndexOf('.')) : path))
  return names.map((name, i) => (names.indexOf(name) === names.lastIndexOf(name) ? name : `${settings[i]![0].split('.')[0]} ${name}`))
}
