/** An experiment in words: what varies, how far it is. */

import type { Counts, ExperimentSummary } from '../api/types'
import { count, plural, settingValue, short } from './format'
import { lossOfLabel } from './losses'
import { settingTitle } from './schema'
import { canonical, lossLevel } from './spec'

export interface Titles {
  title: (loss: string) => string
  encoder: (name: string) => string
}

/**
 * `7 losses × 3 sizes × 2 encoders`: every factor by its count, one with a single level by that level. Several grids in one experiment are no
 * product: with `runs` that the counts do not multiply to, commas join them.
 */
export function factorWords(factors: Record<string, readonly unknown[]>, titles: Titles, runs?: number): string {
  const words = Object.entries(factors).map(([path, levels]) => oneFactor(canonical(path), levels, titles))
  const product = Object.values(factors).reduce((n, levels) => n * levels.length, 1)
  return words.join(runs === undefined || runs === product ? ' × ' : ', ') || (runs === undefined || runs === 1 ? 'one run' : plural(runs, 'run'))
}

const NOUNS: Record<string, [string, string]> = {
  loss: ['loss', 'losses'],
  'data.train_size': ['size', 'sizes'],
  'network.encoder': ['encoder', 'encoders'],
  'data.dataset': ['dataset', 'datasets'],
  seed: ['seed', 'seeds'],
}

function oneFactor(path: string, levels: readonly unknown[], titles: Titles): string {
  if (path === 'loss') {
    const names = new Set(levels.map(lossName))
    if (names.size === 1 && levels.length > 1) return `${levels.length} × ${titles.title([...names][0]!)}`
  }
  if (levels.length === 1) return oneLevel(path, levels[0], titles)
  const noun = NOUNS[path]
  return noun ? plural(levels.length, ...noun) : `${levels.length} × ${settingTitle(path)}`
}

function oneLevel(path: string, level: unknown, titles: Titles): string {
  if (path === 'loss') return titles.title(lossName(level))
  if (path === 'data.train_size') return level === null ? 'all images' : `${count(Number(level))} images`
  if (path === 'network.encoder') return titles.encoder(String(level))
  if (path === 'seed') return '1 seed'
  return path === 'data.dataset' ? String(level) : `${settingTitle(path)} ${settingValue(level)}`
}

/** The name of a loss level, which may be a mapping or a label with its parameters behind it. */
function lossName(level: unknown): string {
  return lossOfLabel(lossLevel(level).name)
}

interface Completed {
  created: number[]
  linked: number[]
  queued_again: number[]
  outdated: number[]
}

/** What training the missing cells came to: `2 runs queued again, 1 made anew.` */
export function completedWords({ created, linked, queued_again, outdated }: Completed): string {
  const parts = [
    queued_again.length > 0 && `${plural(queued_again.length, 'run')} queued again`,
    created.length > 0 && `${plural(created.length, 'run')} made anew`,
    linked.length > 0 && `${plural(linked.length, 'run')} shared with other experiments`,
  ].filter((part) => part !== false)
  const rest = outdated.length > 0 ? ` ${plural(outdated.length, 'run')} ended under another training version or on other data: submit it again.` : ''
  return (parts.length > 0 ? `${parts.join(', ')}.` : 'No cell is missing.') + rest
}

export function isActive(counts: Counts): boolean {
  return (counts.queued ?? 0) + (counts.running ?? 0) > 0
}

/** Progress first: the browser's tab shows only the beginning. */
export function tabTitle(experiment: Pick<ExperimentSummary, 'name' | 'counts'>): string {
  const { counts, name } = experiment
  if (!isActive(counts)) return name
  const all = Object.values(counts).reduce((sum, n) => sum + n, 0)
  return `${counts.finished ?? 0}/${all} ${name}`
}

/** `512 images · DenseNet small · seed 0` */
export function cellWords(run: { train_size: number; encoder: string; seed: number }, titles: Titles): string {
  return `${short(run.train_size)} · ${titles.encoder(run.encoder)} · seed ${run.seed}`
}
