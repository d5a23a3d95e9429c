import { useMutation, useQueryClient } from '@tanstack/react-query'

import { api, unwrap } from '../../api/client'
import { toastError, toastUndo } from '../../components/toast'

interface Move {
  id: number
  before: number | null
  /** what it came before until now: where Undo puts it */
  undo: number | null
  words: string
}

async function put(id: number, before: number | null): Promise<void> {
  await unwrap(api.POST('/api/queue/move', { body: { run_ids: [id], before } }))
}

/** Puts a run at another place of the queue, with Undo. */
export function useQueueMove() {
  const client = useQueryClient()
  const refresh = () => client.invalidateQueries({ queryKey: ['queue'] })
  return useMutation({
    mutationFn: ({ id, before }: Move) => put(id, before),
    onSuccess: (_, { id, undo, words }) => toastUndo(words, () => put(id, undo).finally(refresh)),
    onError: toastError,
    onSettled: refresh,
  })
}
