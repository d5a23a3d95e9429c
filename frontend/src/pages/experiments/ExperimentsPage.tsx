import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useRef, useState } from 'react'

import { ApiError } from '../../api/client'
import { experimentsQuery } from '../../api/queries'
import { ButtonLink } from '../../components/ButtonLink'
import { ErrorPanel } from '../../components/ErrorPanel'
import { Icon } from '../../components/icons'
import { PageHeader } from '../../components/PageHeader'
import { plural } from '../../lib/format'
import { experimentsRoute } from '../../router'
import { EmptyList } from './EmptyList'
import classes from './Experiments.module.css'
import { ExperimentsTable } from './ExperimentsTable'
import { FilterLine } from './FilterLine'
import { useShelf } from './Shelves'
import { TrashPage } from './TrashPage'
import { useListKeys } from './useListKeys'

const PAGE = 50

export function ExperimentsPage() {
  return useShelf() === 'trash' ? <TrashPage /> : <List />
}

function List() {
  const search = experimentsRoute.useSearch()
  const query = useQuery(experimentsQuery(search))
  const [last, setLast] = useState(query.data)
  if (query.data && query.data !== last) setLast(query.data)
  const shown = query.data ?? last
  const refused = query.error instanceof ApiError && query.error.status === 422
  const input = useRef<HTMLInputElement>(null)
  const list = useListKeys(shown?.items ?? [], () => input.current?.focus())
  return (
    <>
      <PageHeader
        title="Experiments"
        tabTitle="Depthboard"
        actions={
          <ButtonLink to="/experiments/new" leftSection={<Icon name="plus" size={14} />}>
            New experiment
          </ButtonLink>
        }
      />
      <div className={classes.page}>
        <FilterLine input={input} shown={query.data?.items.length} total={query.data?.total} error={query.error} />
        {query.error && !refused && <ErrorPanel error={query.error} onRetry={() => void query.refetch()} what="The experiments could not be read." />}
        {shown?.items.length === 0 ? <Nothing /> : (shown || query.isPending) && <ExperimentsTable items={shown?.items} selected={list.selected} onToggle={list.toggle} />}
        {list.selected.length > 0 && <Selection list={list} />}
        {shown && shown.total > PAGE && <Pages total={shown.total} page={search.page ?? 1} />}
      </div>
    </>
  )
}

function Nothing() {
  const { q, archived } = experimentsRoute.useSearch()
  if (q) {
    return (
      <p className={classes.none}>
        No {archived && 'archived '}experiment matches <code>{q}</code>.{' '}
        <Link to="/" search={{ archived }}>
          Show all
        </Link>
      </p>
    )
  }
  return archived ? <p className={classes.none}>Nothing is archived. Archiving takes an experiment off the list; its runs, figures and notes stay as they are.</p> : <EmptyList />
}

function Selection({ list }: { list: ReturnType<typeof useListKeys> }) {
  const [first] = list.selected
  return (
    <div className={classes.selection} role="toolbar" aria-label="With the selected experiments">
      <b className="strong num">{plural(list.selected.length, 'experiment')} selected</b>
      <Button variant="default" leftSection={<Icon name="pin" size={14} />} onClick={list.pin}>
        {first?.pinned ? 'Unpin' : 'Pin'}
      </Button>
      <Button variant="default" leftSection={<Icon name="archive" size={14} />} onClick={list.putAway}>
        {first?.archived_at ? 'Put back' : 'Archive'}
      </Button>
      <button type="button" className="link" onClick={list.clear}>
        Clear
      </button>
    </div>
  )
}

function Pages({ total, page }: { total: number; page: number }) {
  const search = experimentsRoute.useSearch()
  const last = Math.ceil(total / PAGE)
  return (
    <nav className={classes.pages} aria-label="Pages">
      <span className="num">
        Page {page} of {last}
      </span>
      {page > 1 && (
        <Link to="/" search={{ ...search, page: page - 1 }}>
          Previous
        </Link>
      )}
      {page < last && (
        <Link to="/" search={{ ...search, page: page + 1 }}>
          Next
        </Link>
      )}
    </nav>
  )
}
