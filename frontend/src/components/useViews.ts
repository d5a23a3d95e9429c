import { useMutation, useQueryClient } from '@tanstack/react-query'

import { api, unwrap } from '../api/client'
import type { SavedView } from '../api/types'
import { toast, toastError, toastUndo } from './toast'

type NewView = Pick<SavedView, 'name' | 'experiment_id' | 'path' | 'search'>

const post = ({ name, experiment_id, path, search }: NewView) => unwrap(api.POST('/api/views', { body: { name, experiment_id: experiment_id as number, path, search } }))

/** What can be done with saved views. */
export function useViewMoves() {
  const client = useQueryClient()
  const refresh = () => client.invalidateQueries({ queryKey: ['views'] })
  const save = useMutation({ mutationFn: post, onSuccess: () => refresh() })
  const change = useMutation({
    mutationFn: ({ id, ...body }: { id: number; name?: string; path?: string; search?: string }) => unwrap(api.PATCH('/api/views/{id}', { params: { path: { id } }, body: body as never })),
    onSuccess: (view, { path }) => {
      if (path !== undefined) toast(`“${view.name}” shows this view now.`)
      return refresh()
    },
    onError: toastError,
  })
  const remove = useMutation({
    mutationFn: (id: number) => unwrap(api.DELETE('/api/views/{id}', { params: { path: { id } } })),
    onSuccess: (view) => {
      toastUndo(`The view “${view.name}” is deleted.`, () => post(view).finally(refresh))
      return refresh()
    },
    onError: toastError,
  })
  return { save, change, remove }
}
