import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useRouter, useRouterState } from '@tanstack/react-router'

import { catalogueQuery, datasetsQuery, experimentsQuery, runQuery, viewsQuery } from '../api/queries'
import type { ExperimentSummary } from '../api/types'
import { pathExperiment } from '../lib/address'
import { runNumber, type Findable } from '../lib/palette'
import { useOfferedActions } from './actions'
import type { IconName } from './icons'
import { lossLabel } from './LossGlyph'
import { useColours } from './useColours'

export interface Entry extends Findable {
  id: string
  icon: IconName
  go: () => void
}

/** Everything that the palette may offer for what is typed: what is here first, then what is elsewhere. */
export function useFindable(query: string): Entry[] {
  const [asked] = useDebouncedValue(query.trim(), 120)
  return [...useRun(runNumber(query)), ...useActionEntries(), ...useExperiments(asked), ...useViews(), ...usePages(), ...useCatalogue()]
}

/** Opens an address as it stands. */
function useOpen(): (address: string) => () => void {
  const router = useRouter()
  return (address) => () => router.history.push(address)
}

function useRun(id: number | null): Entry[] {
  const open = useOpen()
  const run = useQuery({ ...runQuery(id ?? 0), enabled: id !== null && id > 0, retry: false }).data
  const { data } = useQuery(catalogueQuery())
  if (!run || run.id !== id) return []
  const title = (name: string) => data?.losses.find((loss) => loss.name === name)?.title ?? name
  return [{ id: `run${id}`, label: `Run ${id}`, hint: run.name ?? lossLabel(run.loss, run.loss_label, title), icon: 'runs', go: open(`/runs/${id}`), words: `#${id}` }]
}

function useExperiments(asked: string): Entry[] {
  const open = useOpen()
  const recent = useQuery(experimentsQuery()).data?.items ?? []
  const found = useQuery({ ...experimentsQuery({ q: asked }), enabled: asked.length > 1 && !/[=<>~("']/.test(asked), retry: false }).data?.items ?? []
  const entry = ({ id, name, tags }: ExperimentSummary, words = ''): Entry => ({
    id: `experiment${id}`,
    label: name,
    hint: 'experiment',
    icon: 'experiments',
    go: open(`/experiments/${id}/overview`),
    words: `${tags.map((tag) => `#${tag}`).join(' ')} ${words}`,
  })
  // The server also finds by description and by runs: what it found fits what was asked.
  const other = asked.length > 1 ? found.filter(({ id }) => !recent.some((known) => known.id === id)) : []
  return [...recent.map((experiment) => entry(experiment)), ...other.map((experiment) => entry(experiment, asked))]
}

function useViews(): Entry[] {
  const open = useOpen()
  const views = useQuery(viewsQuery()).data ?? []
  return views.map((view) => ({ id: `view${view.id}`, label: view.name, hint: 'saved view', icon: 'bookmark', go: open(view.path + view.search) }))
}

const PAGES: [string, string, IconName][] = [
  ['Experiments', '/', 'experiments'],
  ['Archived experiments', '/?archived=true', 'archive'],
  ['Trash', '/?trash=true', 'trash'],
  ['New experiment', '/experiments/new', 'plus'],
  ['Compare', '/compare', 'compare'],
  ['All runs', '/runs', 'runs'],
  ['Losses', '/losses', 'losses'],
  ['Datasets', '/datasets', 'datasets'],
  ['Queue & workers', '/workers', 'workers'],
]

const TAB_PAGES: [string, string][] = [
  ['Overview', 'overview'],
  ['Convergence', 'convergence'],
  ['Curves', 'curves'],
  ['Dataset size', 'dataset-size'],
  ['Encoders', 'encoders'],
  ['Qualitative', 'qualitative'],
  ['Results table', 'results'],
  ['Sharpness', 'sharpness'],
  ['Runs', 'runs'],
  ['Notes', 'notes'],
  ['Configuration', 'configuration'],
]

function usePages(): Entry[] {
  const open = useOpen()
  const here = useRouterState({ select: (state) => pathExperiment(state.location.pathname) })
  const tabs: Entry[] = here === null ? [] : TAB_PAGES.map(([label, tab]) => ({ id: `tab${tab}`, label, hint: 'tab here', icon: 'right', go: open(`/experiments/${here}/${tab}`) }))
  return [...tabs, ...PAGES.map(([label, address, icon]): Entry => ({ id: `page${address}`, label, hint: 'page', icon, go: open(address) }))]
}

function useCatalogue(): Entry[] {
  const open = useOpen()
  const losses = useQuery(catalogueQuery()).data?.losses ?? []
  const datasets = useQuery(datasetsQuery()).data ?? []
  return [
    ...losses.map(({ name, title }): Entry => ({ id: `loss${name}`, label: title, hint: 'loss', icon: 'losses', go: open(`/losses?name=${encodeURIComponent(name)}`), words: name })),
    ...datasets.map(({ name }): Entry => ({ id: `data${name}`, label: name, hint: 'dataset', icon: 'datasets', go: open(`/datasets?name=${encodeURIComponent(name)}`) })),
  ]
}

function useActionEntries(): Entry[] {
  const offered = useOfferedActions()
  const { other, followsSystem, choose } = useColours()
  const colours = [
    { label: other === 'dark' ? 'Dark colours' : 'Light colours', icon: other === 'dark' ? 'moon' : 'sun', run: () => choose(other), words: 'theme mode' } as const,
    ...(followsSystem ? [] : [{ label: 'Colours follow the system', icon: 'auto', run: () => choose('auto'), words: 'theme dark light mode' } as const]),
  ]
  return [...offered, ...colours].map((action) => ({ id: `action${action.label}`, label: action.label, hint: 'action', icon: action.icon, go: action.run, words: action.words }))
}
