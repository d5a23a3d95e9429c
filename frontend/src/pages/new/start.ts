/** What the page begins with: the draft that was left here, a preset, another experiment, a run's configuration, one loss, the last one, or nothing. */

import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'

import { catalogueQuery, experimentQuery, experimentsQuery, runQuery } from '../../api/queries'
import type { Catalogue, Spec } from '../../api/types'
import { specOfRun } from '../../lib/clone'
import { isGrid } from '../../lib/spec'
import type { NewSearch } from '../../router'
import { readDraft, readLast } from './kept'

export const EMPTY: Spec = { name: 'New experiment', factors: { loss: ['l1'] } }

export interface Start {
  spec: Spec
  /** when it was saved, of a draft */
  saved: number | null
  origin: string
}

export function originOf(search: NewSearch): string {
  if (search.run !== undefined) return `run ${search.run}`
  if (search.from !== undefined) return `from ${search.from}`
  return search.loss !== undefined ? `loss ${search.loss}` : (search.preset ?? '')
}

/** A draft comes back on the page where it was begun, and on the plain page. */
export function useStart(search: NewSearch): { start: Start | null; error: unknown } {
  const catalogue = useQuery(catalogueQuery())
  const source = useQuery({ ...experimentQuery(search.from ?? 0), enabled: search.from !== undefined })
  const cloned = useQuery({ ...runQuery(search.run ?? 0), enabled: search.run !== undefined })
  const last = useLast(search.preset === 'last')
  const origin = originOf(search)
  return useMemo(() => {
    const draft = readDraft()
    if (draft && (origin === '' || draft.origin === origin)) return { start: { spec: draft.spec, saved: draft.at, origin: draft.origin }, error: null }
    const fresh = (spec: Spec | null | undefined) => ({ start: spec ? { spec, saved: null, origin } : null, error: catalogue.error })
    if (search.run !== undefined) return cloned.error ? { start: null, error: cloned.error } : fresh(cloned.data && specOfRun(cloned.data.config, `Run ${cloned.data.id}`))
    if (search.from !== undefined) {
      if (source.data && !isGrid(source.data.spec)) return { start: null, error: new Error(`${source.data.name} was recorded by scripts, which no form can start again.`) }
      return source.error ? { start: null, error: source.error } : fresh(source.data && { ...source.data.spec, name: `${source.data.name}, again` })
    }
    if (!catalogue.data) return fresh(null)
    if (search.loss !== undefined) return fresh(ofLoss(catalogue.data, search.loss))
    if (search.preset === 'last') return fresh(last === undefined ? null : (last ?? EMPTY))
    return fresh(ofPreset(catalogue.data, search.preset ?? ''))
    // The draft is read once: what is typed later must not come back as a new start.
  }, [origin, cloned.data, cloned.error, source.data, source.error, catalogue.data, catalogue.error, last])
}

export function ofPreset(catalogue: Catalogue, name: string): Spec {
  if (name === 'empty') return EMPTY
  return ((catalogue.presets.find((preset) => preset.name === name) ?? catalogue.presets[0])?.spec as Spec | undefined) ?? EMPTY
}

function ofLoss(catalogue: Catalogue, name: string): Spec {
  const title = catalogue.losses.find((loss) => loss.name === name)?.title ?? name
  const { factors, ...rest } = ofPreset(catalogue, 'quick')
  return { ...rest, name: `${title}, quick look`, factors: { ...(factors as object), loss: [name] } }
}

/** What was launched here last, else the newest grid of all; null for none, undefined while nobody knows. */
export function useLast(wanted: boolean): Spec | null | undefined {
  const here = useMemo(() => (wanted ? readLast() : null), [wanted])
  const list = useQuery({ ...experimentsQuery(), enabled: wanted && !here })
  const newest = list.data?.items.filter((item) => item.datasets.length > 0).toSorted((a, b) => b.id - a.id)[0]
  const found = useQuery({ ...experimentQuery(newest?.id ?? 0), enabled: wanted && !here && newest !== undefined })
  if (here) return here
  if (list.data && !newest) return null
  return found.data && (isGrid(found.data.spec) ? found.data.spec : null)
}
