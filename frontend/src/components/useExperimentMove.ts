import { useMutation, useQueryClient } from '@tanstack/react-query'

import { api, unwrap } from '../api/client'
import { toast, toastError, toastUndo } from './toast'
import { bytes, plural } from '../lib/format'

type Simple = 'cancel' | 'pause' | 'resume' | 'restore'

const PATHS = {
  cancel: '/api/experiments/{id}/cancel',
  pause: '/api/experiments/{id}/pause',
  resume: '/api/experiments/{id}/resume',
  restore: '/api/experiments/{id}/restore',
} as const

const LISTS = ['experiments', 'queue', 'runs', 'views', 'run-names', 'run-differing']

/** After a change of whole experiments: every list, and what is open of this one. */
export function useRefresh() {
  const client = useQueryClient()
  return (id?: number) => client.invalidateQueries({ predicate: ({ queryKey }) => LISTS.includes(String(queryKey[0])) || (queryKey[0] === 'experiment' && queryKey[1] === id) })
}

export function useExperimentMove(id: number, move: Simple) {
  const refresh = useRefresh()
  return useMutation({
    mutationFn: () => unwrap(api.POST(PATHS[move], { params: { path: { id } } })),
    onSuccess: () => refresh(id),
    onError: toastError,
  })
}

export type Ended = 'failed' | 'cancelled'

export function useRetry(id: number) {
  const refresh = useRefresh()
  return useMutation({
    mutationFn: (status: Ended[]) => unwrap(api.POST('/api/experiments/{id}/retry', { params: { path: { id }, query: { status } } })),
    onSuccess: () => refresh(id),
    onError: toastError,
  })
}

/** Into the trash, with Undo; `leave` closes its page, which would otherwise show it as deleted. */
export function useDelete(experiment: { id: number; name: string }, leave: () => void) {
  const refresh = useRefresh()
  const path = { id: experiment.id }
  return useMutation({
    mutationFn: () => unwrap(api.DELETE('/api/experiments/{id}', { params: { path } })),
    onSuccess: (done) => {
      leave()
      const undo = () => unwrap(api.POST('/api/experiments/{id}/restore', { params: { path } })).finally(() => refresh(experiment.id))
      const stopping = done.stopping ? ` ${plural(done.stopping, 'run')} will stop after a checkpoint.` : ''
      if (done.freed) toast(`“${experiment.name}” is gone. ${freedWords(done.freed)}`)
      else toastUndo(`“${experiment.name}” is in the trash.${stopping}`, undo)
      return refresh(experiment.id)
    },
    onError: toastError,
  })
}

interface Freed {
  files: number
  database: number
  waiting: Record<string, number>
}

/** `1.2 GB are free again. 412 MB wait for a worker on gpu-07.` */
export function freedWords({ files, database, waiting }: Freed): string {
  return [`${bytes(files + database)} are free again.`, ...waitingWords(waiting)].join(' ')
}

export function waitingWords(waiting: Record<string, number>): string[] {
  return Object.entries(waiting).map(([host, n]) => `${bytes(n)} wait for a worker ${host ? `on ${host}` : 'that reaches the shared store'} to delete them.`)
}
