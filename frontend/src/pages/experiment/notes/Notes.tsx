import { Button, SegmentedControl, Skeleton } from '@mantine/core'
import { lazy, Suspense, useState } from 'react'

import type { ExperimentDetail } from '../../../api/types'
import { ErrorPanel, PanelBoundary } from '../../../components/ErrorPanel'
import { Icon } from '../../../components/icons'
import { useKeys } from '../../../components/useKeys'
import { Editor } from './Editor'
import classes from './Notes.module.css'
import { useNotes, type NotesState } from './useNotes'

const Markdown = lazy(() => import('./Markdown'))

/** What people think of the figures, in Markdown: read, and on Edit written beside what it will look like. */
export function Notes({ experiment, beside = false }: { experiment: ExperimentDetail; beside?: boolean }) {
  const state = useNotes(experiment)
  const { notes, draft } = state
  useKeys('notes')
  if (notes.error && !notes.data) return <ErrorPanel error={notes.error} onRetry={() => void notes.refetch()} what="The notes could not be read." />
  if (!notes.data) return <Skeleton height={160} animate={false} />
  const locked = experiment.deleted_at !== null
  if (draft === null) return <Reading text={notes.data.text} onEdit={locked ? undefined : state.begin} />
  return (
    <div className={classes.notes} data-beside={beside || undefined}>
      {state.outrun && <Outrun state={state} />}
      {beside ? <OneAtATime state={state} /> : <Both state={state} />}
      <Foot state={state} />
    </div>
  )
}

function Reading({ text, onEdit }: { text: string; onEdit?: () => void }) {
  if (text.trim() === '') {
    return (
      <div className={classes.empty}>
        <p>No notes yet. Write what you were after, what you saw and what to try next: it stays beside the figures, in Markdown.</p>
        {onEdit && (
          <Button variant="default" leftSection={<Icon name="pencil" size={14} />} onClick={onEdit}>
            Write notes
          </Button>
        )}
      </div>
    )
  }
  return (
    <div className={classes.reading}>
      {onEdit && (
        <Button variant="default" className={classes.edit} leftSection={<Icon name="pencil" size={14} />} onClick={onEdit}>
          Edit
        </Button>
      )}
      <Shown text={text} />
    </div>
  )
}

export function Shown({ text }: { text: string }) {
  return (
    <PanelBoundary>
      <Suspense fallback={<Skeleton height={120} animate={false} />}>
        <Markdown text={text} />
      </Suspense>
    </PanelBoundary>
  )
}

function Both({ state }: { state: NotesState }) {
  return (
    <div className={classes.both}>
      <Editor state={state} />
      <section aria-label="Preview" className={classes.preview}>
        {state.draft!.text.trim() === '' ? <p className="secondary">What you write shows here.</p> : <Shown text={state.draft!.text} />}
      </section>
    </div>
  )
}

function OneAtATime({ state }: { state: NotesState }) {
  const [shown, setShown] = useState('write')
  return (
    <>
      <SegmentedControl aria-label="Write or preview" value={shown} onChange={setShown} data={[{ value: 'write', label: 'Write' }, { value: 'preview', label: 'Preview' }]} />
      {shown === 'write' ? <Editor state={state} /> : <Shown text={state.draft!.text} />}
    </>
  )
}

function Outrun({ state }: { state: NotesState }) {
  const [theirs, setTheirs] = useState(false)
  return (
    <div className={classes.outrun} role="alert">
      <Icon name="warning" />
      <div>
        <p>
          <b className="strong">The notes have changed since you opened them.</b> What you typed is kept here and not saved yet.
        </p>
        <p className={classes.actions}>
          <button type="button" className="link" onClick={() => setTheirs(!theirs)}>
            {theirs ? 'Hide' : 'Show'} what is saved
          </button>
          <button type="button" className="link" onClick={state.discard}>
            Take what is saved
          </button>
          <button type="button" className="link" onClick={() => state.overrule()}>
            Save mine instead
          </button>
        </p>
        {theirs && <pre className={classes.theirs}>{state.notes.data?.text || 'The notes are empty now.'}</pre>}
      </div>
    </div>
  )
}

function Foot({ state }: { state: NotesState }) {
  const { draft, save, kept, outrun, discard } = state
  return (
    <div className={classes.foot}>
      <Button disabled={outrun} loading={save.isPending} onClick={() => draft && save.mutate(draft)}>
        Save
      </Button>
      <Button variant="default" onClick={discard}>
        Cancel
      </Button>
      <span className="secondary">{kept ? 'Kept in this browser until you save. Ctrl Enter saves.' : 'This browser keeps no draft: save before you leave.'}</span>
    </div>
  )
}
