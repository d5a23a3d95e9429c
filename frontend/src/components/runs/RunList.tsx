import { Skeleton, Switch } from '@mantine/core'
import { useDebouncedValue, useWindowEvent } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useCallback, useMemo, useRef, useState, type ReactNode } from 'react'

import { ApiError } from '../../api/client'
import { differingQuery, runNamesQuery, runPageQuery, type Selector } from '../../api/queries'
import type { RunSummary } from '../../api/types'
import { count } from '../../lib/format'
import { differingColumns, join, parseSorts, sortsText, split, toggled } from '../../lib/runTable'
import { kindsOf, NO_KINDS, sameKinds, type RunKinds } from '../../lib/script'
import { ErrorPanel } from '../ErrorPanel'
import { isForPage } from '../useKeys'
import { useLosses } from '../useLosses'
import { ColumnChooser } from './ColumnChooser'
import { NoRuns } from './NoRuns'
import { allColumns, columnNamed, defaultColumns, deltaColumn, mainMetric, type MainMetric } from './runColumns'
import { RunExport } from './RunExport'
import { RunFilter } from './RunFilter'
import filterClasses from './RunFilter.module.css'
import classes from './Runs.module.css'
import { RunsTable } from './RunsTable'
import { SelectionStrip } from './SelectionStrip'
import { useRunPages, type RunRows } from './useRunPages'

const TYPING_MS = 250

/** The view of a table of runs, as the address keeps it. */
export interface RunView {
  filter?: string
  /** `loss,-rmse` */
  sort?: string
  /** names with commas between; undefined: those that say something */
  columns?: string
  /** columns of settings that are the same in all runs are shown too */
  same?: boolean
  /** the run that the others are set against */
  base?: number
}

export type RunViewSearch = {
  q?: string
  sort?: string
  columns?: string
  same?: boolean
  base_run?: number
}

/** A change of the view as the address writes it. */
export function searchOf(changed: Partial<RunView>): RunViewSearch & { page: undefined } {
  const { filter, base, ...rest } = changed
  return { ...rest, ...('filter' in changed ? { q: filter } : {}), ...('base' in changed ? { base_run: base } : {}), page: undefined }
}

export function viewOf(search: Record<string, unknown>): RunView {
  const text = (value: unknown) => (typeof value === 'string' || typeof value === 'number' ? String(value) : undefined)
  return {
    filter: text(search.q),
    sort: text(search.sort),
    columns: text(search.columns),
    same: search.same === true || undefined,
    base: typeof search.base_run === 'number' ? search.base_run : undefined,
  }
}

interface Props {
  /** whose runs; null: those of all experiments */
  experiment: number | null
  view: RunView
  change: (patch: Partial<RunView>) => void
  selector?: Selector
  /** controls that say something of trainings only */
  children?: ReactNode
}

/** All runs in one table: found, sorted and paged by the server, looked at here. */
export function RunList({ experiment, view, change, selector, children }: Props) {
  const [filter] = useDebouncedValue(view.filter, TYPING_MS)
  const [kinds, setKinds] = useState<RunKinds>(NO_KINDS)
  const { columns, offered, chosen, main, facts } = useColumns(experiment, filter, view, kinds)
  const choice = { filter, sort: view.sort, columns: facts }
  const { rows, error, retry } = useRunPages(experiment, choice, selector)
  const found = rows && rows.first.length > 0 ? kindsOf(rows.first) : kinds
  if (!sameKinds(found, kinds)) setKinds(found)
  const base = useBase(experiment, view.base, facts, selector)
  const { selected, select, clear, known } = useSelection(rows)
  const sorts = useMemo(() => parseSorts(view.sort ?? (experiment === null ? '-id' : undefined)), [view.sort, experiment])
  const refused = error instanceof ApiError && error.status === 422 ? error : null
  const shown = useMemo(() => withDelta(columns, main, base), [columns, main, base])
  if (error && !refused && !rows) return <ErrorPanel error={error} onRetry={retry} />
  const trained = rows !== undefined && !kinds.scripts
  return (
    <>
      <div className={classes.controls}>
        <RunFilter value={view.filter ?? ''} onChange={(text) => change({ filter: text || undefined })} experiment={experiment} fault={refused !== null} />
        <span className={refused ? filterClasses.fault : 'secondary num'} role="status">
          {refused ? [refused.message, refused.remedy].filter(Boolean).join(' ') : rows && `${count(rows.total)} ${rows.total === 1 ? 'run' : 'runs'}`}
        </span>
        <div className={classes.end}>
          {trained && children}
          <Switch label="Only settings that differ" checked={!view.same} onChange={(event) => change({ same: event.currentTarget.checked ? undefined : true })} />
          <ColumnChooser chosen={chosen} offered={offered} shown={columns.length} onChange={(ids) => change({ columns: ids && join(ids) })} />
          <RunExport experiment={experiment} filter={filter} sort={view.sort} />
        </div>
      </div>
      <SelectionStrip selected={selected} runs={known} base={view.base} onBase={(id) => change({ base: id })} onClear={clear} />
      {rows ? (
        <RunsTable
          rows={rows}
          columns={shown}
          experimentId={experiment}
          main={main}
          averaging={selector?.averaging}
          base={base}
          sorts={sorts}
          onSort={(next) => change({ sort: sortsText(next) })}
          selected={selected}
          onSelect={select}
        />
      ) : (
        <Skeleton height={420} animate={false} />
      )}
      {rows?.total === 0 && <NoRuns filter={filter} experiment={experiment} />}
    </>
  )
}

/** The columns of the table, and what else there is to choose. */
function useColumns(experiment: number | null, filter: string | undefined, view: RunView, kinds: RunKinds) {
  const losses = useLosses()
  const names = useQuery(runNamesQuery(experiment)).data
  const differing = useQuery(differingQuery(experiment, filter)).data
  const main = useMemo(() => mainMetric(kinds.scripts, names, losses), [kinds, names, losses])
  return useMemo(() => {
    const offered = allColumns(names, losses, main)
    const ids = view.columns === undefined ? defaultColumns({ ...kinds, names, differing: differing ?? [], everywhere: experiment === null }) : split(view.columns)
    const chosen = ids.map((id) => columnNamed(id, losses, main))
    const differs = new Set(differingColumns(differing ?? []))
    const columns = chosen.filter((column) => view.same || !column.setting || differing === undefined || differs.has(column.id))
    const facts = [...columns.map((column) => column.fact), main.entry ? undefined : main.id].filter((fact) => fact !== undefined)
    return { columns, offered, chosen, main, facts: [...new Set(facts)].toSorted() }
  }, [names, differing, losses, main, kinds, view.columns, view.same, experiment])
}

function withDelta<T extends { id: string }>(columns: readonly T[], main: MainMetric, base: RunSummary | undefined) {
  const at = columns.findIndex((column) => column.id === main.id)
  return base && at >= 0 ? columns.toSpliced(at + 1, 0, deltaColumn as unknown as T) : columns
}

/** The pinned run, wherever in the list it stands; one that is not there is not pinned. */
function useBase(experiment: number | null, id: number | undefined, columns: readonly string[], selector?: Selector): RunSummary | undefined {
  const query = useQuery({ ...runPageQuery(experiment, { filter: `id = ${id}`, columns }, selector), enabled: id !== undefined })
  return id === undefined ? undefined : query.data?.items[0]
}

/** Selected runs by their ids: a filter may hide them, and they stay selected. */
function useSelection(rows: RunRows | undefined) {
  const [selected, setSelected] = useState<ReadonlySet<number>>(new Set())
  const anchor = useRef(0)
  const latest = useRef(rows)
  latest.current = rows
  const select = useCallback((index: number, range: boolean) => {
    // A pinned row stands outside the list: it comes by its own number, below zero.
    const id = index < 0 ? -index : latest.current?.row(index)?.id
    if (id === undefined) return
    if (range && index >= 0) {
      const [from, to] = [Math.min(anchor.current, index), Math.max(anchor.current, index)]
      void latest.current?.ids(from, to).then((ids) => setSelected((before) => new Set([...before, ...ids])))
    } else {
      anchor.current = Math.max(0, index)
      setSelected((before) => toggled(before, id))
    }
  }, [])
  const clear = () => setSelected(new Set())
  useWindowEvent('keydown', (event) => {
    if (event.key === 'Escape' && isForPage(event)) clear()
  })
  return { selected, select, clear, known: rows ? rows.known(selected) : [] }
}
