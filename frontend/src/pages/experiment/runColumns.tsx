import type { ReactNode } from 'react'

import type { RunSummary } from '../../api/types'
import { LossName } from '../../components/LossGlyph'
import { RunState } from '../../components/StateGlyph'
import type { Losses } from '../../components/useLosses'
import { count, duration, fixed, metric, metricTitle, NONE, parseTime, settingValue } from '../../lib/format'
import { otherLevels } from '../../lib/grid'
import { isScript, onlyScripts } from '../../lib/script'
import { settingTitle } from '../../lib/schema'
import classes from './Runs.module.css'

export interface RunColumn {
  id: string
  title: string
  cell: (run: RunSummary) => ReactNode
  right?: boolean
  /** the first click puts the largest on top */
  falling?: boolean
}

const SHOWN_METRICS = ['rmse', 'mae', 'abs_rel', 'delta1']

/** The columns that say something here: a setting that is the same in all runs has none. `id` is what the server sorts by. */
export function runColumns(runs: readonly RunSummary[], losses: Losses, factors: readonly string[]): RunColumn[] {
  const several = (path: string, key: (run: RunSummary) => unknown) => factors.includes(path) || varies(runs, key)
  const scripts = onlyScripts(runs)
  return [
    idColumn,
    ...(runs.some((run) => run.name) ? [nameColumn] : []),
    ...(runs.some((run) => run.loss) || runs.length === 0 ? [lossColumn] : []),
    ...(several('data.dataset', (run) => run.dataset) ? [plain('dataset', 'Data', (run) => run.dataset || NONE)] : []),
    ...(scripts ? [] : [number('size', 'Size', (run) => run.train_size || undefined, count)]),
    ...(several('network.encoder', (run) => run.encoder) ? [plain('encoder', 'Encoder', (run) => losses.encoder(run.encoder))] : []),
    ...(several('seed', (run) => run.seed) ? [number('seed', 'Seed', (run) => run.seed, String)] : []),
    ...levelColumns(runs),
    ...factColumns(runs),
    ...(varies(runs, (run) => run.evaluation) ? [plain('evaluation', 'Evaluated by', (run) => run.evaluation)] : []),
    stateColumn,
    ...(scripts ? [] : SHOWN_METRICS.map((name) => metricColumn(name, losses))),
    number('epoch', 'Epoch', (run) => (isScript(run) && run.epoch === 0 ? undefined : run.epoch), (epoch) => fixed(epoch, 1)),
    ...(runs.some(isScript) ? [number('step', 'Step', (run) => run.step, count)] : []),
    number('took', 'Took', took, (seconds) => duration(seconds)),
    number('attempt', 'Tries', (run) => run.attempt, String),
  ]
}

const idColumn: RunColumn = { id: 'id', title: 'Run', cell: (run) => <span className="num faint">{run.id}</span> }

const nameColumn: RunColumn = {
  id: 'name',
  title: 'Name',
  cell: (run) =>
    run.name ? (
      <span className={`ellipsis ${classes.name}`} title={run.name}>
        {run.name}
      </span>
    ) : (
      NONE
    ),
}

const lossColumn: RunColumn = { id: 'loss', title: 'Loss', cell: (run) => (run.loss ? <LossName name={run.loss} label={isScript(run) ? undefined : run.loss_label} /> : NONE) }

const stateColumn: RunColumn = { id: 'state', title: 'State', cell: (run) => <RunState run={run} /> }

function plain(id: string, title: string, value: (run: RunSummary) => string): RunColumn {
  return { id, title, cell: value }
}

function number(id: string, title: string, value: (run: RunSummary) => number | undefined, format: (value: number) => string): RunColumn {
  return {
    id,
    title,
    right: true,
    cell: (run) => {
      const known = value(run)
      return known === undefined ? NONE : format(known)
    },
  }
}

function metricColumn(name: string, losses: Losses): RunColumn {
  const entry = losses.metric(name)
  return {
    id: name,
    title: entry ? metricTitle(entry) : name,
    cell: (run) => metric(run.metrics?.[name], entry),
    right: true,
    falling: entry ? !entry.lower_is_better : false,
  }
}

/** A column for every further factor, by its dotted path. */
function levelColumns(runs: readonly RunSummary[]): RunColumn[] {
  const paths = new Set(runs.flatMap((run) => otherLevels(run).map(([path]) => path)))
  return [...paths].map((path) => ({
    id: path,
    title: settingTitle(path),
    cell: (run) => settingValue(run.levels?.[path]),
    right: runs.every((run) => typeof run.levels?.[path] !== 'string'),
  }))
}

/** What filter and order ask about, where no other column shows it: `param.optimiser.lr`, `metric.val/rmse`. */
function factColumns(runs: readonly RunSummary[]): RunColumn[] {
  const names = new Set(runs.flatMap((run) => Object.keys(run.facts ?? {})))
  const levels = new Set(runs.flatMap((run) => Object.keys(run.levels ?? {})))
  const bare = (name: string) => name.replace(/^(param|metric)\./, '')
  return [...names]
    .filter((name) => !levels.has(bare(name)) && !SHOWN_METRICS.includes(bare(name)))
    .map((name) => ({
      id: name,
      title: bare(name),
      cell: (run) => factText(run.facts?.[name]),
      right: runs.every((run) => typeof run.facts?.[name] !== 'string'),
    }))
}

function factText(value: number | string | null | undefined): string {
  if (value === null || value === undefined) return NONE
  return typeof value === 'number' ? String(Number(value.toPrecision(5))) : value
}

function varies<T>(runs: readonly RunSummary[], key: (run: RunSummary) => T): boolean {
  return new Set(runs.map(key)).size > 1
}

function took(run: RunSummary): number | undefined {
  if (!run.started_at || !run.finished_at) return undefined
  return (parseTime(run.finished_at) - parseTime(run.started_at)) / 1000
}
