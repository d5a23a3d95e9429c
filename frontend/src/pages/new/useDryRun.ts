import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'

import { api, unwrap } from '../../api/client'
import type { DryRun } from '../../api/types'
import type { Draft } from './draft'

export interface Dry {
  data: DryRun | undefined
  error: unknown
  /** what is shown belongs to an older text */
  waiting: boolean
}

const PAUSE_MS = 400

/** Asks the API what the draft would start, once the typing has paused. Nothing is launched by it. */
export function useDryRun(draft: Draft): Dry {
  const text = JSON.stringify(draft.spec)
  const [asked] = useDebouncedValue(text, PAUSE_MS)
  const query = useQuery({
    queryKey: ['dry-run', asked],
    queryFn: () => unwrap(api.POST('/api/experiments/dry-run', { body: JSON.parse(asked) as never })) as Promise<DryRun>,
    enabled: draft.fault === null,
    placeholderData: keepPreviousData,
    staleTime: 10_000,
    retry: false,
  })
  const settled = asked === text && !query.isPlaceholderData && !query.isFetching
  return { data: query.data, error: asked === text ? query.error : null, waiting: !settled || draft.fault !== null }
}
