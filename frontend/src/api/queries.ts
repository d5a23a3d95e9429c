/** Every read of the API as TanStack Query options: one key a resource, so that live events can name what they touch. */

import { keepPreviousData, queryOptions } from '@tanstack/react-query'

import { decodeDepth } from '../lib/depth'
import type { PlotlyFigure } from '../lib/figure'
import { mergeCurves, lastStep } from '../lib/curves'
import type { Scheme } from '../theme/tokens'
import { api, fetchRaw, unwrap } from './client'
import type { CurveSet, Qualitative, RunCurves, RunStatus } from './types'

const FOREVER = Infinity
export const MAX_POINTS = 1500
const ALL_RUNS = 1000

export interface Selector {
  value?: string
  averaging?: string
  protocol?: string
}

export const catalogueQuery = () =>
  queryOptions({ queryKey: ['catalogue'], queryFn: () => unwrap(api.GET('/api/catalogue')), staleTime: FOREVER })

export const healthQuery = () => queryOptions({ queryKey: ['health'], queryFn: () => unwrap(api.GET('/api/health')), staleTime: FOREVER })

export interface ExperimentChoice {
  q?: string
  page?: number
  trash?: boolean
  archived?: boolean
  sort?: string
}

export const experimentsQuery = ({ q, page = 1, trash, archived, sort }: ExperimentChoice = {}) =>
  queryOptions({
    queryKey: ['experiments', { q, page, trash, archived, sort }],
    queryFn: () => unwrap(api.GET('/api/experiments', { params: { query: { q: q || undefined, page, size: 50, trash, archived, sort: sort as never } } })),
    placeholderData: keepPreviousData,
  })

export const experimentQuery = (id: number) =>
  queryOptions({ queryKey: ['experiment', id], queryFn: () => unwrap(api.GET('/api/experiments/{id}', { params: { path: { id } } })) })

/** The version is part of the key: notes that someone else saves are read as soon as the experiment says so. */
export const notesQuery = (id: number, version: number) =>
  queryOptions({
    queryKey: ['experiment', id, 'notes', version],
    queryFn: () => unwrap(api.GET('/api/experiments/{id}/notes', { params: { path: { id } } })),
    placeholderData: keepPreviousData,
  })

/** `runs`: how many it has, since with that the cells without one change. */
export const missingQuery = (id: number, runs: number) =>
  queryOptions({
    queryKey: ['experiment', id, 'missing', runs],
    queryFn: () => unwrap(api.GET('/api/experiments/{id}/missing', { params: { path: { id } } })),
    placeholderData: keepPreviousData,
  })

/** No event tells of a view that someone saved: it is looked up again when the tab is looked at again. */
export const viewsQuery = () => queryOptions({ queryKey: ['views'], queryFn: () => unwrap(api.GET('/api/views')), staleTime: 0, refetchOnWindowFocus: true })

export const experimentRunsQuery = (id: number, selector: Selector = {}) =>
  queryOptions({
    queryKey: ['experiment', id, 'runs', selector],
    queryFn: () => allRuns(id, selector),
    placeholderData: keepPreviousData,
  })

/** Every run of an experiment, page after page: the completeness grid and the table show all of them. */
async function allRuns(id: number, selector: Selector) {
  const read = (page: number) =>
    unwrap(api.GET('/api/experiments/{id}/runs', { params: { path: { id }, query: { page, size: ALL_RUNS, ...selector } as never } }))
  const first = await read(1)
  const pages = Math.ceil(first.total / ALL_RUNS)
  const rest = await Promise.all(Array.from({ length: Math.max(0, pages - 1) }, (_, i) => read(i + 2)))
  return [first, ...rest].flatMap((page) => page.items)
}

export const figuresQuery = (id: number) =>
  queryOptions({
    queryKey: ['figure-list', id],
    queryFn: () => unwrap(api.GET('/api/experiments/{id}/figures', { params: { path: { id } } })),
    staleTime: FOREVER,
  })

export type FigureOptions = Record<string, string>

export function figureUrl(id: number, name: string, format: string, theme: Scheme, options: FigureOptions): string {
  return `/api/experiments/${id}/figures/${name}?${new URLSearchParams({ format, theme, ...options })}`
}

export const figureQuery = (id: number, name: string, theme: Scheme, options: FigureOptions) =>
  queryOptions({
    queryKey: ['experiment', id, 'figure', name, theme, options],
    queryFn: async ({ signal }) => (await (await fetchRaw(figureUrl(id, name, 'json', theme, options), signal)).json()) as PlotlyFigure,
    placeholderData: keepPreviousData,
  })

export const resultsQuery = (id: number, selector: Selector) =>
  queryOptions({
    queryKey: ['experiment', id, 'results', selector],
    queryFn: () => unwrap(api.GET('/api/experiments/{id}/results', { params: { path: { id }, query: selector as never } })),
    placeholderData: keepPreviousData,
  })

export const sharpnessQuery = (id: number, selector: Selector) =>
  queryOptions({
    queryKey: ['experiment', id, 'sharpness', selector],
    queryFn: () => unwrap(api.GET('/api/experiments/{id}/sharpness', { params: { path: { id }, query: selector as never } })),
    placeholderData: keepPreviousData,
  })

export interface QualitativeChoice {
  protocol?: string
  dataset?: string
  train_size?: number
  encoder?: string
  seed?: number
  step?: number
}

export const qualitativeQuery = (id: number, choice: QualitativeChoice) =>
  queryOptions({
    queryKey: ['experiment', id, 'qualitative', choice],
    queryFn: async () => (await unwrap(api.GET('/api/experiments/{id}/qualitative', { params: { path: { id }, query: choice } }))) as Qualitative,
    placeholderData: keepPreviousData,
  })

/** Stored depth never changes, so neither is it ever fetched twice. */
export const depthQuery = (url: string, height: number, width: number) =>
  queryOptions({
    queryKey: ['depth', url],
    queryFn: async ({ signal }) => decodeDepth(await (await fetchRaw(url, signal)).arrayBuffer(), height, width),
    staleTime: FOREVER,
    gcTime: 10 * 60_000,
  })

/** A photograph's pixels as words, brought to the size of a map. */
export const pictureQuery = (url: string, width: number, height: number) =>
  queryOptions({
    queryKey: ['picture', url, width, height],
    queryFn: async ({ signal }) => {
      const bitmap = await createImageBitmap(await (await fetchRaw(url, signal)).blob())
      const canvas = new OffscreenCanvas(width, height)
      const context = canvas.getContext('2d')!
      context.drawImage(bitmap, 0, 0, width, height)
      bitmap.close()
      return new Uint32Array(context.getImageData(0, 0, width, height).data.buffer)
    },
    staleTime: FOREVER,
    gcTime: 10 * 60_000,
  })

export const runQuery = (id: number) =>
  queryOptions({ queryKey: ['run', id], queryFn: () => unwrap(api.GET('/api/runs/{id}', { params: { path: { id } } })) })

function runFigureUrl(id: number, format: string, theme: Scheme, options: FigureOptions): string {
  return `/api/runs/${id}/figure?${new URLSearchParams({ format, theme, ...options })}`
}

/** The run's metric beside the other seeds of its cell. */
export const runFigureQuery = (id: number, theme: Scheme, options: FigureOptions) =>
  queryOptions({
    queryKey: ['run-figure', id, theme, options],
    queryFn: async ({ signal }) => (await (await fetchRaw(runFigureUrl(id, 'json', theme, options), signal)).json()) as PlotlyFigure,
    placeholderData: keepPreviousData,
  })

/** A fetch after the first asks only for what is newer than the curves at hand. */
export const curvesQuery = (id: number, with_hours = false) =>
  queryOptions({
    queryKey: ['run', id, 'curves', { with_hours }],
    queryFn: async ({ client, queryKey }): Promise<RunCurves> => {
      const known = client.getQueryData<RunCurves>(queryKey)
      const after_step = known ? lastStep(known) : undefined
      const query = { after_step, max_points: MAX_POINTS, with_hours }
      const newer = (await unwrap(api.GET('/api/runs/{id}/metrics', { params: { path: { id }, query } }))) as RunCurves
      return known ? mergeCurves(known, newer) : newer
    },
    structuralSharing: false,
  })

/** One curve between two steps, with more of its points than the whole of it has. */
export const stretchQuery = (id: number, key: string, after_step: number, until_step: number, with_hours: boolean) =>
  queryOptions({
    queryKey: ['run', id, 'stretch', key, after_step, until_step, with_hours],
    queryFn: async () => {
      const query = { key: [key], after_step, until_step, max_points: MAX_POINTS, with_hours }
      return ((await unwrap(api.GET('/api/runs/{id}/metrics', { params: { path: { id }, query } }))) as RunCurves).series[key] ?? null
    },
  })

export const checkpointsQuery = (id: number) =>
  queryOptions({ queryKey: ['run', id, 'checkpoints'], queryFn: () => unwrap(api.GET('/api/runs/{id}/checkpoints', { params: { path: { id } } })) })

export const predictionsQuery = (id: number) =>
  queryOptions({ queryKey: ['run', id, 'predictions'], queryFn: () => unwrap(api.GET('/api/runs/{id}/predictions', { params: { path: { id } } })) })

export const logQuery = (id: number) =>
  queryOptions({ queryKey: ['run', id, 'log'], queryFn: () => unwrap(api.GET('/api/runs/{id}/log', { params: { path: { id } } })) })

export const runsQuery = (status: RunStatus, size: number) =>
  queryOptions({
    queryKey: ['runs', status, size],
    queryFn: () => unwrap(api.GET('/api/runs', { params: { query: { status, size } } })),
  })

/** What waits, in the order in which workers get it. */
export const queueQuery = (size: number) =>
  queryOptions({
    queryKey: ['queue', size],
    queryFn: () => unwrap(api.GET('/api/queue', { params: { query: { size } } })),
    placeholderData: keepPreviousData,
  })

export const trashQuery = () => queryOptions({ queryKey: ['experiments', 'trash'], queryFn: () => unwrap(api.GET('/api/trash')) })

export interface RunChoice {
  filter?: string
  sort?: string
  /** parameters, metrics and columns wanted besides those that every row has */
  columns?: readonly string[]
  page?: number
}

export const RUNS_A_PAGE = 200

/** A page of the runs that a filter finds, in the order wanted: of one experiment, or of all. */
export const runPageQuery = (experiment: number | null, choice: RunChoice, selector: Selector = {}) => {
  const query = { filter: choice.filter || undefined, sort: choice.sort || undefined, page: choice.page ?? 1, size: RUNS_A_PAGE, column: choice.columns?.length ? [...choice.columns] : undefined }
  return queryOptions({
    queryKey: experiment === null ? ['runs', 'page', choice] : ['experiment', experiment, 'run-page', choice, selector],
    queryFn: () =>
      experiment === null
        ? unwrap(api.GET('/api/runs', { params: { query } }))
        : unwrap(api.GET('/api/experiments/{id}/runs', { params: { path: { id: experiment }, query: { ...query, value: selector.value, averaging: selector.averaging } as never } })),
  })
}

/** The settings that differ among the runs that a filter finds. */
export const differingQuery = (experiment: number | null, filter?: string) =>
  queryOptions({
    queryKey: ['run-differing', experiment, filter],
    queryFn: async () => (await unwrap(api.GET('/api/runs/differing', { params: { query: { filter: filter || undefined, experiment: experiment ?? undefined } } }))).params,
    placeholderData: keepPreviousData,
  })

export const sparklinesQuery = (ids: readonly number[], metric: string, averaging?: string) =>
  queryOptions({
    queryKey: ['runs', 'sparklines', metric, averaging, ids],
    queryFn: () => unwrap(api.GET('/api/runs/sparklines', { params: { query: { id: [...ids], metric, averaging: averaging as never } } })),
  })

export const runNamesQuery = (experiment: number | null) =>
  queryOptions({
    queryKey: ['run-names', experiment],
    queryFn: () => unwrap(api.GET('/api/runs/names', { params: { query: { experiment: experiment ?? undefined } } })),
  })

/** Runs of any experiments beside each other: `runs` are ids with commas between. */
export const comparisonQuery = (runs: string) =>
  queryOptions({
    queryKey: ['runs', 'compare', runs],
    queryFn: () => unwrap(api.GET('/api/compare', { params: { query: { runs } } })),
    placeholderData: keepPreviousData,
  })

function compareUrl(runs: string, name: string, format: string, theme: Scheme, options: FigureOptions): string {
  return `/api/compare/${name}?${new URLSearchParams({ runs, format, theme, ...options })}`
}

export const compareFigureQuery = (runs: string, name: string, theme: Scheme, options: FigureOptions) =>
  queryOptions({
    queryKey: ['runs', 'compare', runs, name, theme, options],
    queryFn: async ({ signal }) => (await (await fetchRaw(compareUrl(runs, name, 'json', theme, options), signal)).json()) as PlotlyFigure,
    placeholderData: keepPreviousData,
  })

export const datasetsQuery = () => queryOptions({ queryKey: ['datasets'], queryFn: async () => (await unwrap(api.GET('/api/datasets', { params: { query: { size: 1000 } } }))).items })

/** With the experiments that use it, which the list does not tell. */
export const datasetQuery = (name: string) => queryOptions({ queryKey: ['datasets', name], queryFn: () => unwrap(api.GET('/api/datasets/{name}', { params: { path: { name } } })) })

export const workersQuery = () => queryOptions({ queryKey: ['workers'], queryFn: async () => (await unwrap(api.GET('/api/workers', { params: { query: { size: 1000 } } }))).items })

/** How busy the machines were under these runs; every quarter of a minute there is a new value. */
export const usageQuery = (runs: number[], keys: string[]) =>
  queryOptions({
    queryKey: ['usage', runs, keys],
    queryFn: async () => ((await unwrap(api.GET('/api/curves', { params: { query: { run: runs, key: keys, max_points: 120 } } }))) as CurveSet).curves,
    refetchInterval: 15_000,
    placeholderData: keepPreviousData,
    enabled: runs.length > 0,
  })
