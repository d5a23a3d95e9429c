import { useMutation, useQueryClient } from '@tanstack/react-query'

import { api, unwrap } from '../api/client'
import type { ExperimentDetail } from '../api/types'
import { plural } from '../lib/format'
import { toast, toastError, toastUndo } from './toast'
import { useRefresh } from './useExperimentMove'

export interface Change {
  pinned?: boolean
  archived?: boolean
  tags?: string[]
}

interface Named {
  id: number
  name: string
}

export const patchExperiment = (id: number, body: Change) => unwrap(api.PATCH('/api/experiments/{id}', { params: { path: { id } }, body: body as never }))

/** Pin, tag or archive experiments. Archiving, which takes them off the list, can be undone. */
export function useExperimentChange() {
  const client = useQueryClient()
  const refresh = useRefresh()
  const send = async (ids: number[], body: Change) => {
    const changed = await Promise.all(ids.map((id) => patchExperiment(id, body)))
    for (const detail of changed) client.setQueryData<ExperimentDetail>(['experiment', detail.id], detail)
    await refresh()
  }
  const change = useMutation({ mutationFn: ({ ids, body }: { ids: number[]; body: Change }) => send(ids, body), onError: toastError })
  const archive = useMutation({
    mutationFn: ({ experiments, archived }: { experiments: Named[]; archived: boolean }) => send(experiments.map(({ id }) => id), { archived }),
    onSuccess: (_, { experiments, archived }) => {
      const ids = experiments.map(({ id }) => id)
      const what = experiments.length === 1 ? `“${experiments[0]!.name}”` : plural(experiments.length, 'experiment')
      const is = experiments.length === 1 ? 'is' : 'are'
      if (archived) toastUndo(`${what} ${is} archived; runs go on.`, () => send(ids, { archived: false }))
      else toast(`${what} ${is} on the list again.`)
    },
    onError: toastError,
  })
  return { change, archive }
}
