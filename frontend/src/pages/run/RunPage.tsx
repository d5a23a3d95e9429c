import { Skeleton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'

import { experimentQuery, runQuery } from '../../api/queries'
import type { RunDetail } from '../../api/types'
import { ErrorPanel, NotFound, PanelBoundary } from '../../components/ErrorPanel'
import { lossLabel, LossGlyph } from '../../components/LossGlyph'
import { PageHeader, type Crumb } from '../../components/PageHeader'
import { useLosses } from '../../components/useLosses'
import { cellWords } from '../../lib/experiment'
import { isScript } from '../../lib/script'
import { ApiError } from '../../api/client'
import { runRoute } from '../../router'
import { Attempts } from './Attempts'
import { Configuration, Parameters } from './Configuration'
import { Artifacts } from './Artifacts'
import { LogPanel } from './LogPanel'
import { MainChart } from './MainChart'
import { Parts } from './Parts'
import { Predictions } from './Predictions'
import { Provenance } from './Provenance'
import { Resources } from './Resources'
import classes from './Run.module.css'
import { RunActions } from './RunActions'
import { StatusLine } from './StatusLine'

export function RunPage() {
  const { runId } = runRoute.useParams()
  const id = Number(runId)
  const query = useQuery({ ...runQuery(id), enabled: Number.isInteger(id) })
  if (!Number.isInteger(id) || (query.error instanceof ApiError && query.error.status === 404)) return <NotFound />
  if (query.error && !query.data) {
    return (
      <div className={classes.page}>
        <ErrorPanel error={query.error} onRetry={() => void query.refetch()} what="This run could not be read." />
      </div>
    )
  }
  if (!query.data) {
    return (
      <div className={classes.page}>
        <Skeleton height={520} mt={40} animate={false} />
      </div>
    )
  }
  return <Loaded run={query.data} />
}

function Loaded({ run }: { run: RunDetail }) {
  const losses = useLosses()
  const { from } = runRoute.useSearch()
  const experiment = useExperimentOf(run, from)
  const title = isScript(run) ? (run.name ?? '') : `${lossLabel(run.loss, run.loss_label, losses.title)} · ${cellWords(run, losses)}`
  const crumbs: Crumb[] = experiment
    ? [
        { label: experiment.name, to: { to: '/experiments/$experimentId/$tab', params: { experimentId: String(experiment.id), tab: 'overview' } } },
        { label: 'Runs', to: { to: '/experiments/$experimentId/$tab', params: { experimentId: String(experiment.id), tab: 'runs' } } },
      ]
    : [{ label: 'Experiments', to: { to: '/' } }]
  const progress = run.status === 'running' && run.steps > 0 ? `${Math.floor((100 * run.step) / Math.max(1, run.steps))} % ` : ''
  return (
    <>
      <PageHeader
        crumbs={crumbs}
        tabTitle={progress + title}
        title={
          <span className="row">
            <LossGlyph name={run.loss} />
            <span className="ellipsis">{title}</span>
          </span>
        }
        actions={<RunActions run={run} />}
      />
      <div className={classes.page}>
        <StatusLine run={run} />
        <div className={classes.columns}>
          <div className={classes.main}>
            {run.status === 'failed' && <LogPanel run={run} failed />}
            {!isScript(run) && (
              <PanelBoundary>
                <MainChart run={run} />
              </PanelBoundary>
            )}
            <PanelBoundary>
              <Parts run={run} />
            </PanelBoundary>
            <PanelBoundary>
              <Predictions run={run} />
            </PanelBoundary>
            {run.status !== 'failed' && (
              <PanelBoundary>
                <LogPanel run={run} />
              </PanelBoundary>
            )}
          </div>
          <aside className={classes.aside} aria-label="About this run">
            <Attempts run={run} />
            <PanelBoundary>
              <Resources run={run} />
            </PanelBoundary>
            {isScript(run) ? <Parameters run={run} /> : <Configuration run={run} experiment={experiment} />}
            {!isScript(run) && <Provenance run={run} />}
            {!isScript(run) && <Artifacts run={run} />}
          </aside>
        </div>
      </div>
    </>
  )
}

/** The experiment a reader came from, else the first that links the run. */
function useExperimentOf(run: RunDetail, from: number | undefined) {
  const linked = run.experiments
  const id = linked.find((experiment) => experiment.id === from)?.id ?? linked[0]?.id
  return useQuery({ ...experimentQuery(id ?? 0), enabled: id !== undefined }).data
}
