import { useEffect, useMemo, useState } from 'react'

import type { Qualitative } from '../../api/types'
import { Painter } from '../../components/depth/painter'
import { useLosses } from '../../components/useLosses'
import { lookOf, type Look } from '../../lib/look'
import { parsePair, parseSort, columnsOf, tileGrid, type Pair, type Sort, type TileGrid } from '../../lib/qualitative'
import { useExperimentSearch } from './useExperimentSearch'

export interface Viewed {
  grid: TileGrid
  look: Look
  sort: Sort
  pair: Pair
  edges: boolean
  /** end of the signed error's colours by the data */
  metres: number
  painter: Painter
}

/** What the address says of the view, on the data that there are. */
export function useLook(data: Qualitative | undefined): Look {
  const [{ view, colours, percentile, low, high, limit, scaled, mask }] = useExperimentSearch()
  return useMemo(() => lookOf({ view, colours, percentile, low, high, limit, scaled, mask }, data), [view, colours, percentile, low, high, limit, scaled, mask, data])
}

export function useSort(): Sort {
  const [{ sort }] = useExperimentSearch()
  return useMemo(() => parseSort(sort), [sort])
}

export function usePair(data: Qualitative | undefined): Pair {
  const [{ a, b }] = useExperimentSearch()
  return useMemo(() => parsePair(a, b, columnsOf(data)), [a, b, data])
}

export function useViewed(data: Qualitative): Viewed {
  const [search] = useExperimentSearch()
  const losses = useLosses()
  const look = useLook(data)
  const sort = useSort()
  const pair = usePair(data)
  const lower = losses.metric(sort.metric)?.lower_is_better ?? true
  const grid = useMemo(() => tileGrid(data, sort, pair, lower), [data, sort, pair, lower])
  const [painter] = useState(() => new Painter(look))
  useEffect(() => painter.recolour(look), [painter, look])
  return { grid, look, sort, pair, edges: search.edges === 'yes', metres: data.error_limits.error ?? 1, painter }
}
