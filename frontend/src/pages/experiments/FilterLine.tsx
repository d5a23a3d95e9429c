import { TextInput } from '@mantine/core'
import { useNavigate, useRouter } from '@tanstack/react-router'
import { useEffect, useRef, useState, type Ref } from 'react'

import { ApiError } from '../../api/client'
import { Icon } from '../../components/icons'
import { count } from '../../lib/format'
import { experimentsRoute } from '../../router'
import classes from './Experiments.module.css'
import { Shelves } from './Shelves'

const TYPING_MS = 200

interface Props {
  input: Ref<HTMLInputElement>
  shown?: number
  total?: number
  error: unknown
}

/** Text, `#tag`, or what one of the runs must be; what cannot be read is said beside it, and the list stays. */
export function FilterLine({ input, shown, total, error }: Props) {
  const [text, setText] = useFilterText()
  const refused = error instanceof ApiError && error.status === 422 ? error : null
  return (
    <div className={classes.search}>
      <TextInput
        ref={input}
        className={classes.input}
        placeholder="Filter: text, #tag, or loss = berhu and rmse < 0.65"
        aria-label="Filter experiments"
        error={refused !== null}
        spellCheck={false}
        leftSection={<Icon name="search" size={14} />}
        rightSection={<kbd className={classes.key}>/</kbd>}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return
          setText('')
          event.currentTarget.blur()
        }}
      />
      <span className={refused ? classes.refused : 'secondary num'} role="status">
        {refused ? [refused.message, refused.remedy].filter(Boolean).join(' ') : shown !== undefined && `${count(shown)} of ${count(total ?? shown)}`}
      </span>
      <Shelves />
    </div>
  )
}

/** What is typed goes into the address after a moment; what the address says otherwise (a tag, Back) goes into the field. */
function useFilterText(): [string, (text: string) => void] {
  const { q } = experimentsRoute.useSearch()
  const navigate = useNavigate()
  const router = useRouter()
  const [text, setText] = useState(q ?? '')
  const sent = useRef(q)
  useEffect(() => {
    if (q !== sent.current) setText(q ?? '')
    sent.current = q
  }, [q])
  useEffect(() => {
    if (text === (q ?? '')) return
    const timer = setTimeout(() => {
      // A link was followed meanwhile: its page would be left again.
      if (router.history.location.pathname !== '/') return
      sent.current = text || undefined
      void navigate({ from: '/', to: '/', search: (previous) => ({ ...previous, q: text || undefined, page: undefined }), replace: true })
    }, TYPING_MS)
    return () => clearTimeout(timer)
  }, [text, q, navigate, router])
  return [text, setText]
}
