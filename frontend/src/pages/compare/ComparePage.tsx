import { Skeleton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'

import { comparisonQuery } from '../../api/queries'
import type { Comparison } from '../../api/types'
import { CopyLink } from '../../components/CopyLink'
import { ErrorPanel, PanelBoundary } from '../../components/ErrorPanel'
import { Icon } from '../../components/icons'
import { PageHeader } from '../../components/PageHeader'
import { MOST_COMPARED, parseIds, withoutRun, withRun } from '../../lib/compare'
import { plural } from '../../lib/format'
import { compareRoute } from '../../router'
import classes from './Compare.module.css'
import { CompareFigure } from './CompareFigure'
import { Differences } from './Differences'
import { RunCards } from './RunCards'
import { RunPicker } from './RunPicker'

const SETTINGS = 'differences'

/** Any runs of any experiments beside each other. */
export function ComparePage() {
  const search = compareRoute.useSearch()
  const navigate = useNavigate()
  const ids = parseIds(search.runs)
  const runs = ids.join(',')
  const query = useQuery({ ...comparisonQuery(runs), enabled: ids.length > 0 })
  const [lifted, setLifted] = useState<number | null>(null)
  const choose = (next: string | undefined) => void navigate({ to: '/compare', search: (previous) => ({ ...previous, runs: next, a: undefined, b: undefined }), resetScroll: false })
  return (
    <>
      <PageHeader title="Compare" tabTitle={ids.length > 0 ? `Compare ${plural(ids.length, 'run')}` : 'Compare'} actions={ids.length > 0 && <CopyLink />} />
      <div className={classes.page}>
        <div className={classes.chosen}>
          <RunCards ids={ids} compared={query.data?.runs ?? []} onRemove={(id) => choose(withoutRun(ids, id))} lifted={lifted} onLift={setLifted} />
          {ids.length < MOST_COMPARED ? <RunPicker chosen={ids} onAdd={(id) => choose(withRun(ids, id))} /> : <span className="secondary">At most {MOST_COMPARED} runs are compared: take one out to add another.</span>}
        </div>
        {ids.length === 0 && <Nothing />}
        {query.error && <ErrorPanel error={query.error} onRetry={() => void query.refetch()} what="These runs could not be compared." />}
        {ids.length > 0 && !query.error && (query.data ? <Views comparison={query.data} runs={runs} lifted={lifted} /> : <Skeleton height={420} animate={false} />)}
      </div>
    </>
  )
}

function Nothing() {
  return (
    <p className={classes.nothing}>
      Nothing is compared yet. Add runs here, of any experiments, or select rows in <Link to="/runs">a table of runs</Link> and press Compare.
    </p>
  )
}

function Views({ comparison, runs, lifted }: { comparison: Comparison; runs: string; lifted: number | null }) {
  const { figure } = compareRoute.useSearch()
  const views = [{ name: SETTINGS, title: 'What differs' }, ...comparison.figures]
  const shown = views.find((view) => view.name === figure)?.name ?? SETTINGS
  const entry = comparison.figures.find((one) => one.name === shown)
  return (
    <>
      {comparison.note && (
        <p className={classes.warning} role="status">
          <Icon name="warning" size={14} /> {comparison.note}
        </p>
      )}
      <nav className={classes.tabs} aria-label="Views of the comparison">
        {views.map((view) => (
          <Link
            key={view.name}
            to="/compare"
            search={(previous) => ({ ...previous, figure: view.name === SETTINGS ? undefined : view.name })}
            className={classes.tab}
            data-active={view.name === shown || undefined}
            aria-current={view.name === shown ? 'page' : undefined}
            resetScroll={false}
          >
            {view.title}
          </Link>
        ))}
      </nav>
      <PanelBoundary key={shown}>{entry ? <CompareFigure entry={entry} comparison={comparison} runs={runs} lifted={lifted} /> : <Differences comparison={comparison} />}</PanelBoundary>
    </>
  )
}
