import { ActionIcon } from '@mantine/core'

import type { ExperimentDetail } from '../../../api/types'
import { Icon } from '../../../components/icons'
import { useKeys } from '../../../components/useKeys'
import classes from '../Experiment.module.css'
import { useExperimentSearch } from '../useExperimentSearch'
import { Notes } from './Notes'

/** Opens and closes the notes beside the tab; `n` does the same. */
export function NotesToggle({ experiment }: { experiment: ExperimentDetail }) {
  const [search, change] = useExperimentSearch()
  const opened = search.notes === true
  const toggle = () => change({ notes: opened ? undefined : true })
  useKeys('tabs', { writeNotes: toggle })
  return (
    <button type="button" className={classes.toggle} aria-pressed={opened} aria-label="Notes beside" onClick={toggle} title={`${opened ? 'Close the notes' : 'Notes beside this tab'} (n)`}>
      <Icon name="notes" />
      {experiment.notes_version > 0 && !opened && 'notes'}
    </button>
  )
}

export function NotesBeside({ experiment }: { experiment: ExperimentDetail }) {
  const [, change] = useExperimentSearch()
  return (
    <aside className={classes.beside} aria-label="Notes">
      <div className={classes.besideHead}>
        <h2 className="section">Notes</h2>
        <ActionIcon variant="subtle" color="gray" size={24} aria-label="Close the notes" onClick={() => change({ notes: undefined })}>
          <Icon name="close" size={14} />
        </ActionIcon>
      </div>
      <Notes key={experiment.id} experiment={experiment} beside />
    </aside>
  )
}
