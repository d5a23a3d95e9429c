import type { ReactNode } from 'react'

import type { RunSummary } from '../../api/types'
import { LossName } from '../../components/LossGlyph'
import { RunState } from '../../components/StateGlyph'
import type { Losses } from '../../components/useLosses'
import { count, duration, fixed, metric, metricTitle, NONE, parseTime, settingValue } from '../../lib/format'
import { otherLevels } from '../../lib/grid'
import { compareLosses } from '../../lib/losses'
import { isScript, onlyScripts } from '../../lib/script'
import { settingTitle } from '../../lib/schema'

export interface RunColumn {
  id: string
  title: string
  /** what the column sorts by; undefined goes last */
  value: (run: RunSummary) => string | number | undefined
  cell: (run: RunSummary) => ReactNode
  right?: boolean
  /** the first click puts the largest on top */
  falling?: boolean
}

const STATE_ORDER = ['running', 'failed', 'cancelled', 'queued', 'finished']
const SHOWN_METRICS = ['rmse', 'mae', 'abs_rel', 'delta1']

/** The columns that say something here: a setting that is the same in all runs has none. */
export function runColumns(runs: readonly RunSummary[], losses: Losses): RunColumn[] {
  return [
    idColumn,
    { ...lossColumn, title: onlyScripts(runs) ? 'Name' : 'Loss' },
    ...(varies(runs, (run) => run.dataset) ? [plain('dataset', 'Data', (run) => run.dataset)] : []),
    number('size', 'Size', (run) => run.train_size || undefined, count),
    ...(varies(runs, (run) => run.encoder) ? [plain('encoder', 'Encoder', (run) => losses.encoder(run.encoder))] : []),
    ...(varies(runs, (run) => run.seed) ? [number('seed', 'Seed', (run) => run.seed, String)] : []),
    ...levelColumns(runs),
    ...(varies(runs, (run) => run.evaluation) ? [plain('evaluation', 'Evaluated by', (run) => run.evaluation)] : []),
    stateColumn,
    ...SHOWN_METRICS.map((name) => metricColumn(name, losses)),
    number('epoch', 'Epoch', (run) => (isScript(run) && run.epoch === 0 ? undefined : run.epoch), (epoch) => fixed(epoch, 1)),
    ...(runs.some(isScript) ? [number('step', 'Step', (run) => run.step, count)] : []),
    number('took', 'Took', took, (seconds) => duration(seconds)),
    number('attempt', 'Tries', (run) => run.attempt, String),
  ]
}

const idColumn: RunColumn = { id: 'id', title: 'Run', value: (run) => run.id, cell: (run) => <span className="num faint">{run.id}</span> }

const lossColumn: RunColumn = {
  id: 'loss',
  title: 'Loss',
  value: (run) => lossRank(run),
  cell: (run) => <LossName name={run.loss} label={run.loss_label} />,
}

const PAPER = ['l1', 'l2', 'huber', 'berhu', 'eigen', 'eigengrad', 'gan', 'ms_ssim', 'lpips', 'kendall_gal'].toSorted(compareLosses)

function lossRank(run: RunSummary): string {
  const at = PAPER.indexOf(run.loss)
  return `${at < 0 ? 99 : String(at).padStart(2, '0')} ${run.loss_label}`
}

const stateColumn: RunColumn = {
  id: 'state',
  title: 'State',
  value: (run) => STATE_ORDER.indexOf(run.status),
  cell: (run) => <RunState run={run} />,
}

function plain(id: string, title: string, value: (run: RunSummary) => string): RunColumn {
  return { id, title, value, cell: value }
}

function number(id: string, title: string, value: (run: RunSummary) => number | undefined, format: (value: number) => string): RunColumn {
  return {
    id,
    title,
    value,
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
    value: (run) => run.metrics?.[name] ?? undefined,
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
    value: (run) => {
      const level = run.levels?.[path]
      return typeof level === 'number' ? level : level == null ? undefined : settingValue(level)
    },
    cell: (run) => settingValue(run.levels?.[path]),
    right: runs.every((run) => typeof run.levels?.[path] !== 'string'),
  }))
}

function varies<T>(runs: readonly RunSummary[], key: (run: RunSummary) => T): boolean {
  return new Set(runs.map(key)).size > 1
}

function took(run: RunSummary): number | undefined {
  if (!run.started_at || !run.finished_at) return undefined
  return (parseTime(run.finished_at) - parseTime(run.started_at)) / 1000
}
