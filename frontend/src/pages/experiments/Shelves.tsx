import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'

import { trashQuery } from '../../api/queries'
import { experimentsRoute, SHELVES, type Shelf } from '../../router'
import classes from './Experiments.module.css'

const LABELS: Record<Shelf, string> = { active: 'Active', archived: 'Archived', trash: 'Trash' }

export function useShelf(): Shelf {
  const { trash, archived } = experimentsRoute.useSearch()
  return trash ? 'trash' : archived ? 'archived' : 'active'
}

/** Active, archived, or in the trash. */
export function Shelves() {
  const shelf = useShelf()
  const { q } = experimentsRoute.useSearch()
  const inTrash = useQuery(trashQuery()).data?.experiments
  return (
    <nav className={classes.shelves} aria-label="Which experiments">
      {SHELVES.map((name) => (
        <Link
          key={name}
          to="/"
          search={{ q: name === 'trash' ? undefined : q, trash: name === 'trash' || undefined, archived: name === 'archived' || undefined }}
          activeProps={{}}
          data-active={name === shelf || undefined}
          aria-current={name === shelf ? 'true' : undefined}
        >
          {LABELS[name]}
          {name === 'trash' && inTrash ? <span className="num"> {inTrash}</span> : null}
        </Link>
      ))}
    </nav>
  )
}
