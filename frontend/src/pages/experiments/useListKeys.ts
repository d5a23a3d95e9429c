import { useState } from 'react'

import type { ExperimentSummary } from '../../api/types'
import { useExperimentChange } from '../../components/useExperimentChange'
import { useKeys } from '../../components/useKeys'

/** The links of the rows, in the order on the screen. */
const rows = () => [...document.querySelectorAll<HTMLElement>('[data-experiment]')]
const focused = () => Number((document.activeElement as HTMLElement | null)?.closest('tr')?.querySelector<HTMLElement>('[data-experiment]')?.dataset.experiment ?? NaN)

/** j and k move the focus over the rows, x selects, e archives, p pins; what is selected, else the row with the focus. */
export function useListKeys(items: readonly ExperimentSummary[], focusFilter: () => void) {
  const [selected, setSelected] = useState<ReadonlySet<number>>(new Set())
  const { change, archive } = useExperimentChange()
  const toggle = (id: number) => setSelected((known) => (known.has(id) ? new Set([...known].filter((one) => one !== id)) : new Set([...known, id])))
  const shown = items.filter(({ id }) => selected.has(id))
  const meant = () => (shown.length > 0 ? shown : items.filter(({ id }) => id === focused()))
  const move = (step: number) => {
    const all = rows()
    const at = all.findIndex((row) => Number(row.dataset.experiment) === focused())
    all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + step))]?.focus()
  }
  const putAway = () => {
    const experiments = meant()
    if (experiments.length === 0) return
    archive.mutate({ experiments, archived: experiments[0]!.archived_at === null })
    setSelected((known) => new Set([...known].filter((id) => !experiments.some((one) => one.id === id))))
  }
  const pin = () => {
    const experiments = meant()
    if (experiments.length > 0) change.mutate({ ids: experiments.map(({ id }) => id), body: { pinned: !experiments[0]!.pinned } })
  }
  useKeys('experiments', {
    filter: focusFilter,
    next: () => move(1),
    previous: () => move(-1),
    select: () => Number.isFinite(focused()) && toggle(focused()),
    archive: putAway,
    pin,
  })
  return { selected: shown, toggle, clear: () => setSelected(new Set()), putAway, pin }
}
