import { QueryClient } from '@tanstack/react-query'
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router'

import { ApiError } from './api/client'
import { catalogueQuery, experimentQuery, figuresQuery } from './api/queries'
import { NotFound, PageError } from './components/ErrorPanel'
import { Shell } from './components/Shell'

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // Live events say what is stale: a query left alone stays fresh.
      staleTime: 30_000,
      refetchOnWindowFocus: false,
      retry: (failures, error) => failures < 2 && (!(error instanceof ApiError) || error.status === 0 || error.status >= 502),
      retryDelay: (attempt) => Math.min(4000, 500 * 2 ** attempt),
    },
  },
})

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound, errorComponent: PageError })

export interface ListSearch {
  q?: string
  page?: number
  trash?: boolean
}

export const SHELVES = ['active', 'archived', 'trash'] as const
export type Shelf = (typeof SHELVES)[number]

export interface ExperimentsSearch extends ListSearch {
  archived?: boolean
  sort?: string
}

export const experimentsRoute = createRoute({
  getParentRoute: () => root,
  path: '/',
  validateSearch: (search): ExperimentsSearch => ({
    q: text(search.q),
    page: integer(search.page),
    trash: search.trash === true || undefined,
    archived: search.archived === true || undefined,
    sort: text(search.sort),
  }),
  component: lazyRouteComponent(() => import('./pages/experiments/ExperimentsPage'), 'ExperimentsPage'),
})

export interface NewSearch {
  preset?: string
  from?: number
  loss?: string
  /** whose configuration is cloned */
  run?: number
}

export const newRoute = createRoute({
  getParentRoute: () => root,
  path: '/experiments/new',
  validateSearch: (search): NewSearch => ({ preset: text(search.preset), from: integer(search.from), loss: text(search.loss), run: integer(search.run) }),
  component: lazyRouteComponent(() => import('./pages/new/NewExperimentPage'), 'NewExperimentPage'),
})

export const TABS = ['overview', 'convergence', 'curves', 'dataset-size', 'encoders', 'qualitative', 'results', 'sharpness', 'runs', 'notes', 'configuration'] as const
export type Tab = (typeof TABS)[number]

/** View state of an experiment's tabs; figure options beyond these are kept as the catalogue names them. */
export interface ExperimentSearch {
  value?: string
  averaging?: string
  protocol?: string
  metric?: string
  key?: string
  x?: string
  dataset?: string
  train_size?: number
  encoder?: string
  seed?: number
  step?: number
  view?: string
  colours?: string
  low?: number
  high?: number
  limit?: number
  q?: string
  sort?: string
  cell?: number
  base?: string
  /** the notes stand beside the tab */
  notes?: boolean
  [option: string]: string | number | boolean | undefined
}

const plainValues = (search: Record<string, unknown>): ExperimentSearch =>
  Object.fromEntries(Object.entries(search).filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value))) as ExperimentSearch

const experimentIndex = createRoute({
  getParentRoute: () => root,
  path: '/experiments/$experimentId',
  beforeLoad: ({ params }) => {
    throw redirect({ to: '/experiments/$experimentId/$tab', params: { ...params, tab: 'overview' }, replace: true })
  },
})

/** What every tab of an experiment reads is under way while the page's code is. A page that lacks it says why itself. */
function askAhead(experiment: number) {
  const asked: Promise<unknown>[] = [queryClient.ensureQueryData(experimentQuery(experiment)), queryClient.ensureQueryData(figuresQuery(experiment)), queryClient.ensureQueryData(catalogueQuery())]
  for (const answer of asked) void answer.catch(() => undefined)
}

export const experimentRoute = createRoute({
  getParentRoute: () => root,
  path: '/experiments/$experimentId/$tab',
  validateSearch: plainValues,
  loader: ({ params }) => askAhead(Number(params.experimentId)),
  component: lazyRouteComponent(() => import('./pages/experiment/ExperimentPage'), 'ExperimentPage'),
})

export interface RunSearch {
  metric?: string
  x?: string
  averaging?: string
  smoothing?: number
  y_log?: boolean
  /** of the other seeds: `ci95`, `none`; else smallest to largest */
  band?: string
  /** which curves are shown: words of their names */
  curves?: string
  frame?: number
  /** looked for in the log, and the level from which its lines are shown */
  find?: string
  level?: string
  from?: number
}

export interface RunsSearch extends ListSearch {
  sort?: string
  columns?: string
  same?: boolean
  base_run?: number
}

export const runsRoute = createRoute({
  getParentRoute: () => root,
  path: '/runs',
  validateSearch: (search): RunsSearch => ({
    q: text(search.q),
    sort: text(search.sort),
    page: integer(search.page),
    columns: text(search.columns),
    same: search.same === true || undefined,
    base_run: integer(search.base_run),
  }),
  component: lazyRouteComponent(() => import('./pages/runs/RunsPage'), 'RunsPage'),
})

export const runRoute = createRoute({
  getParentRoute: () => root,
  path: '/runs/$runId',
  validateSearch: (search): RunSearch => ({
    metric: text(search.metric),
    x: text(search.x),
    averaging: text(search.averaging),
    smoothing: typeof search.smoothing === 'number' ? Math.min(0.99, Math.max(0, search.smoothing)) : undefined,
    y_log: search.y_log === true || undefined,
    band: text(search.band),
    curves: text(search.curves),
    find: text(search.find),
    level: text(search.level),
    frame: integer(search.frame),
    from: integer(search.from),
  }),
  component: lazyRouteComponent(() => import('./pages/run/RunPage'), 'RunPage'),
})

/** `runs`: ids with commas between; figure options are kept as the catalogue names them. */
export interface CompareSearch {
  runs?: string
  figure?: string
  [option: string]: string | number | boolean | undefined
}

export const compareRoute = createRoute({
  getParentRoute: () => root,
  path: '/compare',
  validateSearch: (search): CompareSearch => ({ ...plainValues(search), runs: text(search.runs) }),
  component: lazyRouteComponent(() => import('./pages/compare/ComparePage'), 'ComparePage'),
})

export const datasetsRoute = createRoute({
  getParentRoute: () => root,
  path: '/datasets',
  validateSearch: (search): { name?: string } => ({ name: text(search.name) }),
  component: lazyRouteComponent(() => import('./pages/datasets/DatasetsPage'), 'DatasetsPage'),
})

const workersRoute = createRoute({
  getParentRoute: () => root,
  path: '/workers',
  component: lazyRouteComponent(() => import('./pages/workers/WorkersPage'), 'WorkersPage'),
})

/** The loss, and where its page's sliders stand; a slider at its start is left out. */
export interface LossesSearch {
  name?: string
  c?: number
  lam?: number
  s?: number
  y?: number
  scale?: number
  p?: number
  all?: boolean
}

export const lossesRoute = createRoute({
  getParentRoute: () => root,
  path: '/losses',
  validateSearch: (search): LossesSearch => ({
    name: text(search.name),
    c: within(search.c, 0.05, 1.5),
    lam: within(search.lam, 0, 1),
    s: within(search.s, -2, 2),
    y: within(search.y, 1, 8),
    scale: within(search.scale, 0.6, 1.5),
    p: within(search.p, 0, 1),
    all: search.all === true || undefined,
  }),
  component: lazyRouteComponent(() => import('./pages/losses/LossesPage'), 'LossesPage'),
})

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : undefined
}

function within(value: unknown, low: number, high: number): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? Math.min(high, Math.max(low, value)) : undefined
}

function integer(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) ? value : undefined
}

export const router = createRouter({
  routeTree: root.addChildren([experimentsRoute, newRoute, experimentIndex, experimentRoute, runsRoute, runRoute, compareRoute, datasetsRoute, workersRoute, lossesRoute]),
  defaultPreload: false,
  defaultPendingMs: 300,
  scrollRestoration: true,
  notFoundMode: 'root',
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
