import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'

import type { MetricEntry, RunNames, RunSummary } from '../../api/types'
import { ago, count, duration, fixed, metric, metricName, metricTitle, NONE, parseTime, settingValue } from '../../lib/format'
import { delta, columnOf, differingColumns, type Spark } from '../../lib/runTable'
import { isScript, type RunKinds } from '../../lib/script'
import { settingTitle } from '../../lib/schema'
import { Icon } from '../icons'
import { LossName } from '../LossGlyph'
import { RunState } from '../StateGlyph'
import type { Losses } from '../useLosses'
import classes from './Runs.module.css'
import { Sparkline } from './Sparkline'

/** What a cell knows beside its run. */
export interface Around {
  experimentId: number | null
  /** what the sparkline draws and the base is compared by */
  main: MainMetric
  spark?: Spark
  range: readonly [number, number] | null
  base?: RunSummary
  now: number
}

export interface MainMetric {
  /** as the server sorts by it */
  id: string
  /** as evaluations or scripts call it */
  key: string
  entry?: MetricEntry
}

export interface RunColumn {
  /** what the server sorts by */
  id: string
  title: string
  group: 'Settings' | 'Results' | 'Run'
  width: number
  cell: (run: RunSummary, around: Around) => ReactNode
  right?: boolean
  /** the first click puts the largest on top */
  falling?: boolean
  fixedOrder?: boolean
  /** a setting, which `Only settings that differ` may hide */
  setting?: boolean
  /** asked of the server besides what every row has */
  fact?: string
  strong?: boolean
}

export function mainMetric(scripts: boolean, names: RunNames | undefined, losses: Losses): MainMetric {
  const logged = scripts ? loggedFirst(names?.metrics ?? [])[0] : undefined
  return logged ? { id: `metric.${logged}`, key: logged } : { id: 'rmse', key: 'rmse', entry: losses.metric('rmse') }
}

/** What a script is likely judged by comes first. */
function loggedFirst(keys: readonly string[]): string[] {
  const rank = (key: string) => Number(!/rmse|abs_rel|error|acc/i.test(key)) + 2 * Number(!/^(test|val)/i.test(key))
  return keys.toSorted((a, b) => rank(a) - rank(b) || a.localeCompare(b))
}

const CORE = ['dataset', 'size', 'encoder', 'seed']
const MOST_OTHER = 6

interface Shown extends RunKinds {
  names?: RunNames
  differing: readonly string[]
  everywhere: boolean
}

/** The columns before anyone chooses. */
export function defaultColumns({ scripts, named, lossy, evaluations, names, differing, everywhere }: Shown): string[] {
  const other = differingColumns(differing).filter((id) => id.startsWith('param.')).slice(0, MOST_OTHER)
  const loss = lossy ? ['loss'] : []
  if (scripts) return ['id', 'name', ...loss, ...other, 'state', ...loggedFirst(names?.metrics ?? []).slice(0, 4).map((key) => `metric.${key}`), 'spark', 'step', 'trained', 'worker']
  const evaluated = evaluations ? ['evaluation'] : []
  const settings = everywhere ? [...CORE, ...evaluated] : [...CORE, ...other, ...evaluated]
  return ['id', ...(named ? ['name'] : []), 'loss', ...settings, 'state', 'rmse', 'abs_rel', 'spark', 'delta1', ...(everywhere ? [] : ['best_epoch']), 'trained', 'attempt', 'worker']
}

/** Every column there is to choose, by group. */
export function allColumns(names: RunNames | undefined, losses: Losses, main: MainMetric): RunColumn[] {
  const params = (names?.params ?? []).map(columnOf).filter((id) => id.startsWith('param.'))
  const metrics = (names?.metrics ?? []).filter((key) => losses.metric(key) === undefined || key.includes('/')).map((key) => `metric.${key}`)
  const scored = (names?.metrics ?? []).filter((key) => losses.metric(key) !== undefined && !key.includes('/'))
  const ids = [...OWN_IDS, 'rmse', 'spark', ...scored, ...params, ...metrics]
  return [...new Set(ids)].map((id) => columnNamed(id, losses, main))
}

export function columnNamed(id: string, losses: Losses, main: MainMetric): RunColumn {
  const own = OWN[id]
  if (own) return { id, ...own(losses) }
  if (id === 'spark') return sparkColumn(main)
  const entry = losses.metric(id)
  if (entry) return metricColumn(entry, id === main.id)
  return factColumn(id, id === main.id)
}

type Own = Omit<RunColumn, 'id'>

function number(group: RunColumn['group'], title: string, width: number, value: (run: RunSummary) => number | null | undefined, format: (value: number) => string, more: Partial<Own> = {}): Own {
  return {
    group,
    title,
    width,
    right: true,
    cell: (run) => {
      const known = value(run)
      return known === undefined || known === null ? NONE : format(known)
    },
    ...more,
  }
}

function text(group: RunColumn['group'], title: string, width: number, value: (run: RunSummary) => string | null | undefined, more: Partial<Own> = {}): Own {
  return { group, title, width, cell: (run) => value(run) || NONE, ...more }
}

/** Whole epochs are whole numbers. */
const epochs = (value: number) => fixed(value, Number.isInteger(value) ? 0 : 1)
/** Of a script only what it said. */
const said = (run: RunSummary, value: number) => (isScript(run) && value === 0 ? undefined : value)
const setting = { setting: true }
const time = (iso: string | null, now: number) => (iso ? <span title={new Date(parseTime(iso)).toLocaleString('en-GB')}>{ago(iso, now)}</span> : NONE)

const OWN: Record<string, (losses: Losses) => Own> = {
  id: () => ({ group: 'Run', title: 'Run', width: 60, right: true, falling: true, cell: (run, { experimentId }) => <RunLink run={run} from={experimentId}>{run.id}</RunLink> }),
  name: () => ({ group: 'Run', title: 'Name', width: 200, cell: (run, around) => (run.name ? <Identity run={run} around={around}>{run.name}</Identity> : NONE) }),
  loss: () => ({
    group: 'Settings',
    title: 'Loss',
    width: 136,
    cell: (run, around) => (run.loss ? <Identity run={run} around={around}><LossName name={run.loss} label={isScript(run) ? undefined : run.loss_label} /></Identity> : NONE),
  }),
  dataset: () => text('Settings', 'Data', 110, (run) => run.dataset, setting),
  split: () => ({ ...factCell('split'), group: 'Settings', title: 'Split', width: 90, setting: true }),
  size: () => number('Settings', 'Size', 80, (run) => said(run, run.train_size), count, { ...setting, falling: true }),
  encoder: (losses) => text('Settings', 'Encoder', 118, (run) => run.encoder && losses.encoder(run.encoder), setting),
  height: () => ({ ...factCell('height'), group: 'Settings', title: 'Height', width: 70, right: true, setting: true }),
  width: () => ({ ...factCell('width'), group: 'Settings', title: 'Width', width: 70, right: true, setting: true }),
  batch_size: () => ({ ...factCell('batch_size'), group: 'Settings', title: 'Batch size', width: 90, right: true, setting: true }),
  seed: () => number('Settings', 'Seed', 64, (run) => said(run, run.seed), String, setting),
  evaluation: () => text('Settings', 'Evaluated by', 210, (run) => run.evaluation),
  state: () => ({ group: 'Run', title: 'State', width: 104, cell: (run) => <RunState run={run} /> }),
  epoch: () => number('Run', 'Epoch', 72, (run) => said(run, run.epoch), epochs, { falling: true }),
  best_epoch: () => ({
    group: 'Results',
    title: 'Best epoch',
    width: 88,
    right: true,
    fixedOrder: true,
    cell: (_, { spark }) => (spark?.best_epoch == null ? NONE : <span title={`the lowest of its evaluations so far: ${fixed(spark.best)}`}>{epochs(spark.best_epoch)}</span>),
  }),
  step: () => number('Run', 'Step', 80, (run) => run.step, count, { falling: true }),
  images_seen: () => number('Run', 'Images seen', 100, (run) => said(run, run.images_seen), count, { falling: true }),
  images_per_second: () => number('Run', 'Images/s', 84, (run) => run.images_per_second, (speed) => fixed(speed, speed < 10 ? 1 : 0), { falling: true }),
  trained: () => number('Run', 'Trained', 90, (run) => run.trained_seconds, duration, { falling: true }),
  attempt: () => number('Run', 'Tries', 60, (run) => run.attempt, String, { falling: true }),
  worker: () => text('Run', 'Worker', 150, (run) => (run.host ? [run.host, run.device].filter(Boolean).join(' · ') : null), { fixedOrder: true }),
  priority: () => number('Run', 'Priority', 72, (run) => run.priority, String),
  created_at: () => ({ group: 'Run', title: 'Submitted', width: 110, falling: true, cell: (run, { now }) => time(run.created_at, now) }),
  started_at: () => ({ group: 'Run', title: 'Began', width: 110, falling: true, cell: (run, { now }) => time(run.started_at, now) }),
  finished_at: () => ({ group: 'Run', title: 'Ended', width: 110, falling: true, cell: (run, { now }) => time(run.finished_at, now) }),
}
const OWN_IDS = Object.keys(OWN)

function RunLink({ run, from, children }: { run: RunSummary; from: number | null; children: ReactNode }) {
  return (
    <Link to="/runs/$runId" params={{ runId: String(run.id) }} search={{ from: from ?? undefined }} className={classes.open} tabIndex={-1}>
      {children}
    </Link>
  )
}

/** What a run is called by; the base says that it is the base. */
function Identity({ run, around, children }: { run: RunSummary; around: Around; children: ReactNode }) {
  return (
    <span className={classes.identity}>
      <RunLink run={run} from={around.experimentId}>
        {children}
      </RunLink>
      {around.base?.id === run.id && (
        <span className={classes.base}>
          <Icon name="pin" size={12} /> base
        </span>
      )}
    </span>
  )
}

function sparkColumn(main: MainMetric): RunColumn {
  const name = main.entry ? `Test ${metricName(main.entry)}` : main.key
  return {
    id: 'spark',
    title: name,
    group: 'Results',
    width: 126,
    fixedOrder: true,
    cell: (run, { spark, range }) => (run.status === 'queued' ? null : <Sparkline line={spark} range={range} diverged={run.diverged_at != null} label={name} />),
  }
}

function metricColumn(entry: MetricEntry, strong: boolean): RunColumn {
  return {
    id: entry.name,
    title: metricTitle(entry),
    group: 'Results',
    width: Math.max(76, 44 + 7 * metricTitle(entry).length),
    cell: (run) => metric(run.metrics?.[entry.name], entry),
    right: true,
    falling: !entry.lower_is_better,
    strong,
  }
}

/** `param.optimiser.lr`, `metric.val/rmse`: what rows carry only when it is asked for. */
function factColumn(id: string, strong: boolean): RunColumn {
  const param = id.startsWith('param.')
  const bare = id.replace(/^(param|metric)\./, '')
  const title = param ? settingTitle(bare) : bare
  return { ...factCell(id), id, title, group: param ? 'Settings' : 'Results', width: Math.min(220, Math.max(88, 44 + 7 * title.length)), right: true, setting: param || undefined, strong }
}

function factCell(id: string): Pick<RunColumn, 'cell' | 'fact'> {
  return { fact: id, cell: (run) => factText(run.facts?.[id] ?? run.levels?.[id.replace(/^param\./, '')]) }
}

function factText(value: unknown): string {
  if (value === null || value === undefined) return NONE
  if (typeof value === 'number' && Number.isInteger(value)) return count(value)
  return typeof value === 'number' ? String(Number(value.toPrecision(4))) : settingValue(value)
}

/** A run's value of the main metric. */
export function mainValue(run: RunSummary | undefined, main: MainMetric): number | null {
  if (!run) return null
  const value = main.entry ? run.metrics?.[main.key] : run.facts?.[main.id]
  return typeof value === 'number' ? value : null
}

/** How far a run is from the base: sign, arrow and colour. */
export const deltaColumn: RunColumn = {
  id: 'delta',
  title: 'Δ to base',
  group: 'Results',
  width: 88,
  right: true,
  fixedOrder: true,
  cell: (run, { base, main }) => {
    const off = run.id === base?.id ? null : delta(mainValue(run, main), mainValue(base, main), main.entry?.lower_is_better ?? true, 3)
    if (!off) return NONE
    if (off.verdict === 'same') return <span className="faint">±0.000</span>
    return (
      <span className={main.entry ? classes[off.verdict] : undefined}>
        {off.value > 0 ? '+' : ''}
        {fixed(off.value)} {off.value > 0 ? '▲' : '▼'}
      </span>
    )
  },
}
