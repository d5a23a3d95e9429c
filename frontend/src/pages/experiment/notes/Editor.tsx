import { Textarea } from '@mantine/core'
import type { KeyboardEvent } from 'react'

import { count } from '../../../lib/format'
import classes from './Notes.module.css'
import type { NotesState } from './useNotes'

const LONGEST = 100_000
const WORTH_SAYING = 0.9 * LONGEST

/** Ctrl Enter and Ctrl S save what is written. */
export function Editor({ state }: { state: NotesState }) {
  const { draft, save, outrun, write } = state
  if (!draft) return null
  const keys = (event: KeyboardEvent) => {
    if (!(event.ctrlKey || event.metaKey) || (event.key !== 'Enter' && event.key.toLowerCase() !== 's')) return
    event.preventDefault()
    if (!outrun && !save.isPending) save.mutate(draft)
  }
  return (
    <Textarea
      autoFocus
      autosize
      minRows={12}
      maxRows={30}
      aria-label="Notes, in Markdown"
      classNames={{ input: classes.input }}
      maxLength={LONGEST}
      value={draft.text}
      onChange={(event) => write(event.currentTarget.value)}
      onKeyDown={keys}
      description={draft.text.length > WORTH_SAYING ? `${count(draft.text.length)} of ${count(LONGEST)} characters` : undefined}
    />
  )
}
