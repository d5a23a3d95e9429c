import { Button, Menu, Skeleton } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useRef, type ReactNode } from 'react'

import { ApiError } from '../api/client'
import { RUNS_A_PAGE, runPageQuery, type RunChoice, type Selector } from '../api/queries'
import type { RunPage } from '../api/types'
import { count } from '../lib/format'
import { RunsTable } from '../pages/experiment/RunsTable'
import { ErrorPanel } from './ErrorPanel'
import { Icon } from './icons'
import { RunFilter } from './RunFilter'
import classes from './RunFilter.module.css'

const TYPING_MS = 250

interface Props {
  /** whose runs; null: those of all experiments */
  experiment: number | null
  choice: RunChoice
  change: (choice: RunChoice) => void
  selector?: Selector
  /** settings of the experiment that have several levels, and so columns */
  factors?: readonly string[]
  controlsClass?: string
  children?: ReactNode
}

/** Runs as the server finds, sorts and pages them. What was shown last stays until the next is there. */
export function RunList({ experiment, choice, change, selector, factors = [], controlsClass, children }: Props) {
  const [typed] = useDebouncedValue(choice.filter, TYPING_MS)
  const query = useQuery(runPageQuery(experiment, { ...choice, filter: typed }, selector))
  const last = useRef<RunPage>(undefined)
  if (query.data) last.current = query.data
  const shown = query.data ?? last.current
  const refused = query.error instanceof ApiError && query.error.status === 422 ? query.error : null
  if (query.error && !refused && !shown) return <ErrorPanel error={query.error} onRetry={() => void query.refetch()} />
  return (
    <>
      <div className={controlsClass}>
        <RunFilter value={choice.filter ?? ''} onChange={(filter) => change({ ...choice, filter: filter || undefined, page: undefined })} experiment={experiment} fault={refused !== null} />
        <span className={refused ? classes.fault : 'secondary num'} role="status">
          {refused ? [refused.message, refused.remedy].filter(Boolean).join(' ') : shown && `${count(shown.total)} ${shown.total === 1 ? 'run' : 'runs'}`}
        </span>
        {children}
        <RunExport experiment={experiment} filter={typed} sort={choice.sort} />
      </div>
      {shown ? (
        <RunsTable runs={shown.items} experimentId={experiment} sort={choice.sort} onSort={(sort) => change({ ...choice, sort, page: undefined })} factors={factors} />
      ) : (
        <Skeleton height={420} animate={false} />
      )}
      {shown?.total === 0 && <p className={classes.none}>No run matches {typed ? <code>{typed}</code> : 'yet'}.</p>}
      {shown && shown.total > RUNS_A_PAGE && <Pages page={choice.page ?? 1} total={shown.total} onPage={(page) => change({ ...choice, page: page > 1 ? page : undefined })} />}
    </>
  )
}

function Pages({ page, total, onPage }: { page: number; total: number; onPage: (page: number) => void }) {
  const pages = Math.ceil(total / RUNS_A_PAGE)
  const first = (page - 1) * RUNS_A_PAGE + 1
  return (
    <nav className={classes.pages} aria-label="Pages of runs">
      <button type="button" className="link" disabled={page <= 1} onClick={() => onPage(page - 1)}>
        Previous
      </button>
      <span className="secondary num">
        {count(first)}–{count(Math.min(total, first + RUNS_A_PAGE - 1))} of {count(total)}
      </span>
      <button type="button" className="link" disabled={page >= pages} onClick={() => onPage(page + 1)}>
        Next
      </button>
    </nav>
  )
}

const FORMATS = [
  { format: 'csv', label: 'CSV', hint: 'for a spreadsheet' },
  { format: 'parquet', label: 'Parquet', hint: 'for pandas, polars' },
  { format: 'json', label: 'JSON', hint: 'a list of objects' },
]

/** All runs that the filter finds, not only this page; of an experiment also every point of its curves. */
function RunExport({ experiment, filter, sort }: { experiment: number | null; filter?: string; sort?: string }) {
  const wanted = Object.entries({ experiment, filter, sort }).filter(([, value]) => value != null && value !== '')
  const runs = (format: string) => `/api/runs/export?${new URLSearchParams([['format', format], ...wanted.map(([name, value]) => [name, String(value)])])}`
  const curves = (format: string) => `/api/experiments/${experiment}/curves?format=${format}`
  return (
    <Menu>
      <Menu.Target>
        <Button variant="default" leftSection={<Icon name="download" size={14} />}>
          Export
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>These runs, with parameters and metrics</Menu.Label>
        {FORMATS.map(({ format, label, hint }) => (
          <Menu.Item key={format} component="a" href={runs(format)} download={`runs.${format}`} rightSection={<span className="secondary">{hint}</span>}>
            {label}
          </Menu.Item>
        ))}
        {experiment !== null && <Menu.Label>All curves of the experiment</Menu.Label>}
        {experiment !== null &&
          FORMATS.map(({ format, label }) => (
            <Menu.Item key={`curves-${format}`} component="a" href={curves(format)} download={`curves.${format}`} rightSection={<span className="secondary">{format === 'json' ? 'columns' : 'a row a point'}</span>}>
              {label}
            </Menu.Item>
          ))}
      </Menu.Dropdown>
    </Menu>
  )
}
