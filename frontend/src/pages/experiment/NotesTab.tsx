import type { TabProps } from './ExperimentPage'
import { Notes } from './notes/Notes'

export default function NotesTab({ experiment }: TabProps) {
  return <Notes key={experiment.id} experiment={experiment} />
}
