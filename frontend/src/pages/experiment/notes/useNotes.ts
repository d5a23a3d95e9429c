import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { api, ApiError, unwrap } from '../../../api/client'
import { notesQuery } from '../../../api/queries'
import type { ExperimentDetail } from '../../../api/types'
import { toast, toastError, toastUndo } from '../../../components/toast'
import { draftKey, keepDraft, readDraft, type Draft } from '../../../lib/drafts'

/** The notes on the server, and what is being written here. A draft outlives a reload, a lost connection and a conflict. */
export function useNotes(experiment: ExperimentDetail) {
  const client = useQueryClient()
  const notes = useQuery(notesQuery(experiment.id, experiment.notes_version))
  const key = draftKey(experiment)
  const [draft, setDraft] = useState<Draft | null>(() => readDraft(localStorage, key))
  const [kept, setKept] = useState(true)
  const put = (next: Draft | null) => {
    setDraft(next)
    setKept(keepDraft(localStorage, key, next))
  }
  const save = useMutation({
    mutationFn: (body: Draft) => unwrap(api.PUT('/api/experiments/{id}/notes', { params: { path: { id: experiment.id } }, body })),
    onSuccess: (saved) => {
      client.setQueryData(notesQuery(experiment.id, saved.version).queryKey, saved)
      client.setQueryData<ExperimentDetail>(['experiment', experiment.id], (known) => known && { ...known, notes_version: saved.version })
      put(null)
      toast('The notes are saved.')
    },
    onError: (error) => {
      if (!(error instanceof ApiError && error.status === 409)) return toastError(error)
      void client.invalidateQueries({ queryKey: ['experiment', experiment.id], exact: true })
    },
  })
  const discard = () => {
    const before = draft
    put(null)
    save.reset()
    if (before && before.text !== notes.data?.text) toastUndo('What you wrote is thrown away.', () => Promise.resolve(put(before)))
  }
  return {
    notes,
    draft,
    kept,
    save,
    /** someone else has saved since this draft was begun */
    outrun: draft !== null && notes.data !== undefined && notes.data.version > draft.version,
    begin: () => notes.data && put({ text: notes.data.text, version: notes.data.version }),
    write: (text: string) => draft && put({ ...draft, text }),
    discard,
    /** save mine instead of theirs: on top of the version that is there */
    overrule: () => draft && notes.data && save.mutate({ text: draft.text, version: notes.data.version }),
  }
}

export type NotesState = ReturnType<typeof useNotes>
