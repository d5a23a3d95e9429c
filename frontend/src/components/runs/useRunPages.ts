import { useQueries, useQueryClient } from '@tanstack/react-query'
import { useCallback, useRef, useState } from 'react'

import { RUNS_A_PAGE, runPageQuery, type RunChoice, type Selector } from '../../api/queries'
import type { RunPage, RunSummary } from '../../api/types'
import { pagesFor } from '../../lib/runTable'

interface Held {
  key: string
  total: number
  pages: Map<number, RunPage>
}

export interface RunRows {
  total: number
  /** undefined while its page is on the way */
  row: (index: number) => RunSummary | undefined
  /** of the first page that came; what the columns are chosen by */
  first: readonly RunSummary[]
  /** where a run stands, of those that have come; −1 for another */
  indexOf: (id: number | undefined) => number
  /** those of these ids that have come */
  known: (ids: ReadonlySet<number>) => RunSummary[]
  /** which rows are in sight: their pages are fetched, and those beside them */
  show: (from: number, to: number) => void
  /** the ids of rows, in sight or not */
  ids: (from: number, to: number) => Promise<number[]>
}

/** The runs as the server finds and sorts them, page by page as they come into sight. What was shown last stays until the next is there. */
export function useRunPages(experiment: number | null, choice: RunChoice, selector?: Selector) {
  const client = useQueryClient()
  const [wanted, setWanted] = useState<number[]>([1])
  const query = (page: number) => runPageQuery(experiment, { ...choice, page }, selector)
  const found = useQueries({ queries: wanted.map(query) })
  const held = useRef<Held>(undefined)
  const key = JSON.stringify([experiment, choice, selector])
  for (const [i, { data }] of found.entries()) {
    if (!data) continue
    if (held.current?.key !== key) held.current = { key, total: data.total, pages: new Map() }
    held.current.total = data.total
    held.current.pages.set(wanted[i]!, data)
  }
  const shown = held.current
  const total = shown?.total ?? 0
  const show = useCallback(
    (from: number, to: number) => setWanted((before) => {
      const next = pagesFor(from, to, total, RUNS_A_PAGE)
      return before.join() === next.join() ? before : next
    }),
    [total],
  )
  const ids = async (from: number, to: number) => {
    const numbers = Array.from({ length: Math.floor(to / RUNS_A_PAGE) - Math.floor(from / RUNS_A_PAGE) + 1 }, (_, i) => Math.floor(from / RUNS_A_PAGE) + 1 + i)
    const pages = await Promise.all(numbers.map((page) => client.ensureQueryData(query(page))))
    const start = (numbers[0]! - 1) * RUNS_A_PAGE
    return pages.flatMap((page) => page.items).slice(from - start, to - start + 1).map((run) => run.id)
  }
  const rows: RunRows | undefined = shown && {
    total,
    row: (index) => shown.pages.get(Math.floor(index / RUNS_A_PAGE) + 1)?.items[index % RUNS_A_PAGE],
    first: [...shown.pages].toSorted(([a], [b]) => a - b)[0]?.[1].items ?? [],
    indexOf: (id) => {
      for (const [page, { items }] of shown.pages) {
        const at = items.findIndex((run) => run.id === id)
        if (at >= 0) return (page - 1) * RUNS_A_PAGE + at
      }
      return -1
    },
    known: (wantedIds) => (wantedIds.size === 0 ? [] : [...shown.pages.values()].flatMap((page) => page.items.filter((run) => wantedIds.has(run.id)))),
    show,
    ids,
  }
  const failed = found.find((one) => one.error)
  return { rows, error: failed?.error ?? null, retry: () => void failed?.refetch() }
}
