import { useNavigate } from '@tanstack/react-router'
import { useCallback } from 'react'

import { experimentRoute, type ExperimentSearch } from '../../router'

/** The view's state in the address, and a function that changes part of it: what equals the default is left out. */
export function useExperimentSearch(): [ExperimentSearch, (patch: Partial<ExperimentSearch>, replace?: boolean) => void] {
  const search = experimentRoute.useSearch()
  const { experimentId, tab } = experimentRoute.useParams()
  const navigate = useNavigate()
  const change = useCallback(
    (patch: Partial<ExperimentSearch>, replace = false) => {
      void navigate({
        to: '/experiments/$experimentId/$tab',
        params: { experimentId, tab },
        search: (previous: ExperimentSearch) => ({ ...previous, ...patch }),
        replace,
        resetScroll: false,
      })
    },
    [navigate, experimentId, tab],
  )
  return [search, change]
}

/** The one selector that table, bars, end marks and images share; without a protocol each figure takes the one that most runs have. */
export function selectorOf({ value, averaging, protocol }: ExperimentSearch): { value?: string; averaging?: string; protocol?: string } {
  return { ...(value ? { value } : {}), ...(averaging ? { averaging } : {}), ...(protocol ? { protocol } : {}) }
}
