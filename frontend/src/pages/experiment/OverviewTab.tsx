import { Skeleton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'

import { experimentRunsQuery } from '../../api/queries'
import type { RunSummary } from '../../api/types'
import { ErrorPanel, PanelBoundary } from '../../components/ErrorPanel'
import { StateGlyph, STATE_WORDS } from '../../components/StateGlyph'
import { cellState, type CellState } from '../../lib/grid'
import { onlyScripts } from '../../lib/script'
import { CompletenessGrid } from './CompletenessGrid'
import CurvesTab from './CurvesTab'
import type { TabProps } from './ExperimentPage'
import { LowestList } from './LowestList'
import classes from './Overview.module.css'
import { Previews } from './Previews'
import { QualitativeStrip } from './QualitativeStrip'
import { RunLine } from './RunLine'
import { selectorOf, useExperimentSearch } from './useExperimentSearch'

/** Left every run, right the lowest errors so far, below the figures in the paper's order. */
export default function OverviewTab({ experiment }: TabProps) {
  const runs = useQuery(experimentRunsQuery(experiment.id, {})).data
  if (runs && onlyScripts(runs)) return <CurvesTab experiment={experiment} />
  return (
    <div className={classes.overview}>
      <div className={classes.top}>
        <PanelBoundary>
          <Completeness experiment={experiment} />
        </PanelBoundary>
        <PanelBoundary>
          <LowestList experiment={experiment} />
        </PanelBoundary>
      </div>
      <Previews experiment={experiment} />
      <PanelBoundary>
        <QualitativeStrip experiment={experiment} />
      </PanelBoundary>
    </div>
  )
}

function Completeness({ experiment }: TabProps) {
  const [search, change] = useExperimentSearch()
  const query = useQuery(experimentRunsQuery(experiment.id, selectorOf(search)))
  const runs = query.data
  const selected = useMemo(() => runs?.find((run) => run.id === search.cell) ?? runs?.find((run) => run.status === 'failed'), [runs, search.cell])
  return (
    <section aria-label="Completeness" className={classes.completeness}>
      <div className={classes.head}>
        <h2 className="section">Completeness</h2>
        {runs && <Tally runs={runs} />}
      </div>
      {query.error && !runs && <ErrorPanel error={query.error} onRetry={() => void query.refetch()} />}
      {query.isPending && <Skeleton height={260} animate={false} />}
      {runs && <CompletenessGrid runs={runs} selected={selected?.id} onSelect={(run) => change({ cell: run.id }, true)} />}
      {selected && <RunLine run={selected} experimentId={experiment.id} />}
    </section>
  )
}

function Tally({ runs }: { runs: RunSummary[] }) {
  const counts = new Map<CellState, number>()
  for (const run of runs) counts.set(cellState(run), (counts.get(cellState(run)) ?? 0) + 1)
  const order: CellState[] = ['done', 'running', 'queued', 'failed', 'diverged', 'cancelled']
  return (
    <ul className={classes.tally}>
      {order.map((state) =>
        counts.has(state) ? (
          <li key={state}>
            <StateGlyph state={state} progress={0.65} size={12} /> <b className="num strong">{counts.get(state)}</b> {STATE_WORDS[state]}
          </li>
        ) : null,
      )}
    </ul>
  )
}
