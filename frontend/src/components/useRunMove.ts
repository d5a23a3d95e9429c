import { useMutation, useQueryClient } from '@tanstack/react-query'

import { api, unwrap } from '../api/client'
import { toastError } from './toast'

/** Stops a run, or puts a failed or cancelled one back into the queue. */
export function useRunMove(id: number, move: 'cancel' | 'retry') {
  const client = useQueryClient()
  return useMutation({
    mutationFn: () =>
      unwrap(move === 'cancel' ? api.POST('/api/runs/{id}/cancel', { params: { path: { id } } }) : api.POST('/api/runs/{id}/retry', { params: { path: { id } } })),
    onSuccess: (run) => {
      client.setQueryData(['run', id], run)
      void client.invalidateQueries({ predicate: ({ queryKey }) => ['experiment', 'experiments', 'runs', 'workers'].includes(String(queryKey[0])) })
    },
    onError: toastError,
  })
}
