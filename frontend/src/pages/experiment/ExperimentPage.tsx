import { Skeleton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { lazy, Suspense, useEffect, type ComponentType } from 'react'

import { ApiError } from '../../api/client'
import { experimentQuery } from '../../api/queries'
import type { ExperimentDetail } from '../../api/types'
import { ErrorPanel, NotFound, PanelBoundary } from '../../components/ErrorPanel'
import { PageHeader } from '../../components/PageHeader'
import { total } from '../../components/RunBar'
import { useKeys } from '../../components/useKeys'
import { isActive, tabTitle } from '../../lib/experiment'
import { count, duration, percent } from '../../lib/format'
import { experimentRoute, TABS, type ExperimentSearch, type Tab } from '../../router'
import classes from './Experiment.module.css'
import { ExperimentActions } from './ExperimentActions'
import { InlineName } from './InlineName'
import { NotesBeside, NotesToggle } from './notes/NotesBeside'
import { TrashStrip } from './TrashStrip'
import { Updated } from './Updated'
import { selectorOf } from './useExperimentSearch'

export interface TabProps {
  experiment: ExperimentDetail
}

type Load = () => Promise<{ default: ComponentType<TabProps> }>

/** A tab's code is asked for before the experiment is there. */
const panel = (label: string, load: Load) => ({ label, panel: lazy(load), ahead: () => void load() })

const PANELS: Record<Tab, { label: string; panel: ComponentType<TabProps>; ahead: () => void }> = {
  overview: panel('Overview', () => import('./OverviewTab')),
  convergence: panel('Convergence', () => import('./ConvergenceTab')),
  curves: panel('Curves', () => import('./CurvesTab')),
  'dataset-size': panel('Dataset size', () => import('./DatasetSizeTab')),
  encoders: panel('Encoders', () => import('./EncodersTab')),
  qualitative: panel('Qualitative', () => import('./QualitativeTab')),
  results: panel('Results table', () => import('./ResultsTab')),
  sharpness: panel('Sharpness', () => import('./SharpnessTab')),
  runs: panel('Runs', () => import('./RunsTab')),
  notes: panel('Notes', () => import('./NotesTab')),
  configuration: panel('Configuration', () => import('./ConfigurationTab')),
}

export function ExperimentPage() {
  const { experimentId, tab } = experimentRoute.useParams()
  const search = experimentRoute.useSearch()
  const query = useQuery(experimentQuery(Number(experimentId)))
  const navigate = useNavigate()
  const view = PANELS[tab as Tab]
  useEffect(() => view?.ahead(), [view])
  if (!view || (query.error instanceof ApiError && query.error.status === 404)) return <NotFound />
  if (query.error && !query.data) {
    return (
      <div className={classes.body}>
        <ErrorPanel error={query.error} onRetry={() => void query.refetch()} what="This experiment could not be read." />
      </div>
    )
  }
  const experiment = query.data
  const Panel = view.panel
  const beside = search.notes === true && tab !== 'notes' && experiment !== undefined
  return (
    <>
      <PageHeader
        crumbs={[{ label: 'Experiments', to: { to: '/' } }]}
        title={experiment ? <InlineName experiment={experiment} /> : <Skeleton height={12} width={220} animate={false} />}
        tabTitle={experiment ? tabTitle(experiment) : 'Depthboard'}
        actions={experiment && <ExperimentActions experiment={experiment} tab={tab as Tab} onDeleted={() => void navigate({ to: '/' })} />}
      />
      {experiment && <TrashStrip experiment={experiment} />}
      <div className={classes.tabsLine}>
        <Tabs experimentId={experimentId} tab={tab} experiment={experiment} />
        {experiment && <Progress experiment={experiment} updatedAt={query.dataUpdatedAt} short={tab !== 'overview'} />}
        {experiment && tab !== 'notes' && <NotesToggle experiment={experiment} />}
      </div>
      <div className={classes.body} data-beside={beside || undefined}>
        <div className={classes.panel}>
          <PanelBoundary key={`${experimentId}/${tab}`}>
            <Suspense fallback={<Skeleton height={360} animate={false} />}>{experiment ? <Panel experiment={experiment} /> : <Skeleton height={360} animate={false} />}</Suspense>
          </PanelBoundary>
        </div>
        {beside && <NotesBeside experiment={experiment} />}
      </div>
    </>
  )
}

/** What there is to see of people's own scripts, which have no grid and are not evaluated here. */
const OF_SCRIPTS: readonly Tab[] = ['overview', 'curves', 'qualitative', 'runs', 'notes']

/** What goes along from tab to tab. */
const carried = (previous: ExperimentSearch): ExperimentSearch => ({ ...selectorOf(previous), ...(previous.notes === true ? { notes: true } : {}) })

function Tabs({ experimentId, tab, experiment }: { experimentId: string; tab: string; experiment?: ExperimentDetail }) {
  const scripts = experiment !== undefined && !('base' in experiment.spec)
  const runs = experiment && total(experiment.counts)
  const shown = TABS.filter((name) => name === tab || !scripts || (OF_SCRIPTS.includes(name) && (name !== 'qualitative' || experiment.depth_maps)))
  const navigate = useNavigate()
  const go = (step: number) => {
    const to = shown[shown.indexOf(tab as Tab) + step]
    if (to) void navigate({ from: '/experiments/$experimentId/$tab', to: '/experiments/$experimentId/$tab', params: { experimentId, tab: to }, search: carried })
  }
  useKeys('tabs', { tabLeft: () => go(-1), tabRight: () => go(1) })
  return (
    <nav className={classes.tabs} aria-label="Views of the experiment">
      {shown.map((name) => (
        <Link
          key={name}
          to="/experiments/$experimentId/$tab"
          params={{ experimentId, tab: name }}
          search={carried}
          className={classes.tab}
          data-active={name === tab || undefined}
          aria-current={name === tab ? 'page' : undefined}
        >
          {PANELS[name].label}
          {name === 'runs' && runs !== undefined && <span className="num">{count(runs)}</span>}
        </Link>
      ))}
    </nav>
  )
}

function standing({ counts, paused, held }: ExperimentDetail): string {
  const running = counts.running ?? 0
  if (paused) return [`paused, ${held} held`, running > 0 && `${running} still training`].filter(Boolean).join(', ')
  return running ? `${running} running` : 'waiting for a worker'
}

/** How it goes on. On the overview in a line of its own; beside the tabs what has room there. */
function Progress({ experiment, updatedAt, short }: { experiment: ExperimentDetail; updatedAt: number; short: boolean }) {
  const { counts } = experiment
  if (!isActive(counts) || experiment.deleted_at) return null
  return (
    <p className={`${classes.progress} num`} data-short={short || undefined} role="status">
      <span className={classes.dot} data-still={experiment.paused || undefined} />
      {standing(experiment)}
      {experiment.stalled > 0 && (
        <Link to="/experiments/$experimentId/$tab" params={{ experimentId: String(experiment.id), tab: 'runs' }} className={classes.stalled} title="Nothing has moved in them for a while, or their worker does not answer: look at their pages">
          {experiment.stalled} stalled
        </Link>
      )}
      <span>{percent(experiment.progress)}</span>
      {!short && !experiment.paused && <span>{experiment.eta_seconds === null ? 'time left not known yet' : `${duration(experiment.eta_seconds)} left`}</span>}
      {!short && <Updated at={updatedAt} />}
    </p>
  )
}
