import { ActionIcon, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { api, unwrap } from '../../api/client'
import type { ExperimentDetail } from '../../api/types'
import { Icon } from '../../components/icons'
import { toastError } from '../../components/toast'

/** The experiment's name; the pencil, or a double click, makes it a field. Enter saves, Escape keeps the old one. */
export function InlineName({ experiment }: { experiment: ExperimentDetail }) {
  const [draft, setDraft] = useState<string | null>(null)
  const client = useQueryClient()
  const rename = useMutation({
    mutationFn: (name: string) => unwrap(api.PATCH('/api/experiments/{id}', { params: { path: { id: experiment.id } }, body: { name } as never })),
    onSuccess: (detail) => {
      client.setQueryData(['experiment', experiment.id], detail)
      void client.invalidateQueries({ queryKey: ['experiments'] })
    },
    onError: toastError,
    onSettled: () => setDraft(null),
  })
  const save = () => {
    const name = (draft ?? '').trim()
    if (name === '' || name === experiment.name) setDraft(null)
    else rename.mutate(name)
  }
  if (draft === null) {
    return (
      <span style={{ display: 'inline-flex', alignItems: 'center', gap: 4, minWidth: 0 }} onDoubleClick={() => setDraft(experiment.name)}>
        <span className="ellipsis">{experiment.name}</span>
        <ActionIcon variant="subtle" color="gray" size={24} aria-label="Rename the experiment" onClick={() => setDraft(experiment.name)}>
          <Icon name="pencil" size={13} />
        </ActionIcon>
      </span>
    )
  }
  return (
    <TextInput
      autoFocus
      aria-label="Name of the experiment"
      w={360}
      maxLength={200}
      value={draft}
      disabled={rename.isPending}
      onChange={(event) => setDraft(event.currentTarget.value)}
      onBlur={save}
      onKeyDown={(event) => {
        if (event.key === 'Enter') save()
        if (event.key === 'Escape') setDraft(null)
      }}
    />
  )
}
