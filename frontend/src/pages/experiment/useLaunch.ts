import { useMutation } from '@tanstack/react-query'

import { api, unwrap } from '../../api/client'
import type { MissingCell } from '../../api/types'
import { toast, toastError } from '../../components/toast'
import { useRefresh } from '../../components/useExperimentMove'
import { completedWords } from '../../lib/experiment'

/** Makes runs for cells of the grid that have none. */
export function useLaunch(experiment: number) {
  const refresh = useRefresh()
  return useMutation({
    mutationFn: (cells: readonly MissingCell[]) =>
      unwrap(api.POST('/api/experiments/{id}/complete', { params: { path: { id: experiment } }, body: { cells: cells.map(({ levels }) => levels) } })),
    onSuccess: (done) => {
      toast(completedWords(done))
      return refresh(experiment)
    },
    onError: toastError,
  })
}
