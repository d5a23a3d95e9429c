import { Skeleton, TextInput } from '@mantine/core'
import { useHotkeys } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useMemo, useRef } from 'react'

import { experimentRunsQuery } from '../../api/queries'
import { ErrorPanel } from '../../components/ErrorPanel'
import { Control } from '../../components/FigureControls'
import { Icon } from '../../components/icons'
import { count } from '../../lib/format'
import { parseFilter } from '../../lib/filter'
import expClasses from './Experiment.module.css'
import type { TabProps } from './ExperimentPage'
import classes from './Runs.module.css'
import { RunsTable } from './RunsTable'
import { selectorOf, useExperimentSearch } from './useExperimentSearch'

const METRICS = ['mae', 'abs_rel', 'sq_rel', 'rmse', 'rmse_log', 'log10', 'silog', 'delta1', 'delta2', 'delta3']

/** Every run of the experiment: filter, sort, open. */
export default function RunsTab({ experiment }: TabProps) {
  const [search, change] = useExperimentSearch()
  const query = useQuery(experimentRunsQuery(experiment.id, selectorOf(search)))
  const input = useRef<HTMLInputElement>(null)
  useHotkeys([['/', () => input.current?.focus()]])
  const filter = useMemo(() => parseFilter(String(search.q ?? ''), METRICS), [search.q])
  const runs = useMemo(() => query.data?.filter(filter.match ?? (() => true)) ?? [], [query.data, filter])
  if (query.error && !query.data) return <ErrorPanel error={query.error} onRetry={() => void query.refetch()} />
  return (
    <>
      <div className={expClasses.controls}>
        <TextInput
          ref={input}
          className={classes.filter}
          aria-label="Filter runs"
          placeholder="Filter: words, or loss in (l1, eigen) and size >= 64 and rmse < 0.65"
          leftSection={<Icon name="search" size={14} />}
          rightSection={<kbd className={classes.key}>/</kbd>}
          value={String(search.q ?? '')}
          error={filter.error !== null}
          onChange={(event) => change({ q: event.currentTarget.value || undefined }, true)}
        />
        <span className={filter.error ? classes.fault : 'secondary num'} role="status">
          {filter.error ?? (query.data && `${count(runs.length)} of ${count(query.data.length)} runs`)}
        </span>
        <Control option="value" values={['last3', 'last', 'best_validation']} value={search.value ?? 'last3'} onChoose={(v) => change({ value: v === 'last3' ? undefined : v })} />
        <Control option="averaging" values={['per_image', 'pooled']} value={search.averaging ?? 'per_image'} onChoose={(v) => change({ averaging: v === 'per_image' ? undefined : v })} />
      </div>
      {query.isPending ? <Skeleton height={420} animate={false} /> : <RunsTable runs={runs} experimentId={experiment.id} />}
      {query.data && runs.length === 0 && <p className={classes.none}>No run matches {search.q ? <code>{search.q}</code> : 'yet'}.</p>}
      <p className={classes.note}>One run against one run says nothing about the loss: the figures and the results table average over seeds.</p>
    </>
  )
}
