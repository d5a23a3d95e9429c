import { Skeleton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useMemo, useState } from 'react'

import { experimentRunsQuery, missingQuery } from '../../api/queries'
import { ErrorPanel } from '../../components/ErrorPanel'
import { total } from '../../components/RunBar'
import { StateGlyph } from '../../components/StateGlyph'
import { between, completeness, gaps, isGap, markState, type CellState, type Mark } from '../../lib/grid'
import { CompletenessGrid } from './CompletenessGrid'
import type { TabProps } from './ExperimentPage'
import classes from './Overview.module.css'
import { GapLine, RangeLine } from './RangeLine'
import { RunLine } from './RunLine'
import { selectorOf, useExperimentSearch } from './useExperimentSearch'

/** Every cell, how many there are of each state, and what can be done with the chosen ones in a line below. */
export function Completeness({ experiment }: TabProps) {
  const [search, change] = useExperimentSearch()
  const navigate = useNavigate()
  const query = useQuery(experimentRunsQuery(experiment.id, selectorOf(search)))
  const missing = useQuery(missingQuery(experiment.id, total(experiment.counts))).data
  const runs = query.data
  const marks = useMemo((): Mark[] => [...(runs ?? []), ...gaps(missing ?? [])], [runs, missing])
  const grid = useMemo(() => completeness(marks), [marks])
  const [range, setRange] = useState<[number, number] | null>(null)
  const chosen = useMemo(() => (range ? between(grid, ...range) : []), [grid, range])
  const chosenIds = useMemo(() => new Set(chosen.map((mark) => mark.id)), [chosen])
  const selected = marks.find((mark) => mark.id === search.cell) ?? marks.find((mark) => mark.status === 'failed')
  const select = (mark: Mark) => {
    setRange(null)
    change({ cell: mark.id }, true)
  }
  const open = (mark: Mark) => (isGap(mark) ? select(mark) : void navigate({ to: '/runs/$runId', params: { runId: String(mark.id) }, search: { from: experiment.id } }))
  return (
    <section aria-label="Completeness" className={classes.completeness}>
      <div className={classes.head}>
        <h2 className="section">Completeness</h2>
        {runs && <Tally marks={marks} />}
      </div>
      {query.error && !runs && <ErrorPanel error={query.error} onRetry={() => void query.refetch()} />}
      {query.isPending && <Skeleton height={260} animate={false} />}
      {runs && (
        <CompletenessGrid
          grid={grid}
          selected={selected?.id}
          chosen={chosenIds}
          onSelect={select}
          onRange={(mark) => setRange([selected?.id ?? mark.id, mark.id])}
          onOpen={open}
        />
      )}
      {chosen.length > 1 ? (
        <RangeLine marks={chosen} experiment={experiment} onDone={() => setRange(null)} />
      ) : selected && isGap(selected) ? (
        <GapLine gap={selected} experiment={experiment} />
      ) : (
        selected && <RunLine run={selected} experimentId={experiment.id} />
      )}
    </section>
  )
}

const ORDER: (CellState | 'missing')[] = ['done', 'running', 'queued', 'failed', 'diverged', 'cancelled', 'missing']

function Tally({ marks }: { marks: Mark[] }) {
  const counts = new Map<string, number>()
  for (const mark of marks) counts.set(markState(mark), (counts.get(markState(mark)) ?? 0) + 1)
  return (
    <ul className={classes.tally} aria-label="How many runs are in which state">
      {ORDER.map((state) =>
        counts.has(state) ? (
          <li key={state}>
            <StateGlyph state={state} progress={0.65} size={12} /> <b className="num strong">{counts.get(state)}</b> {state}
          </li>
        ) : null,
      )}
    </ul>
  )
}
