import { Skeleton, TextInput } from '@mantine/core'
import { useHotkeys } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'

import { experimentsQuery, trashQuery } from '../../api/queries'
import type { ExperimentSummary } from '../../api/types'
import { ButtonLink } from '../../components/ButtonLink'
import { ErrorPanel } from '../../components/ErrorPanel'
import { Icon } from '../../components/icons'
import { PageHeader } from '../../components/PageHeader'
import { isActive } from '../../lib/experiment'
import { experimentsRoute } from '../../router'
import { EmptyList } from './EmptyList'
import { ExperimentRow } from './ExperimentRow'
import classes from './Experiments.module.css'
import { TrashPage } from './TrashPage'

const PAGE = 50

export function ExperimentsPage() {
  return experimentsRoute.useSearch().trash ? <TrashPage /> : <List />
}

function List() {
  const search = experimentsRoute.useSearch()
  const query = useQuery(experimentsQuery(search))
  const items = query.data?.items
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
        <SearchLine shown={items?.length} total={query.data?.total} />
        {query.error && <ErrorPanel error={query.error} onRetry={() => void query.refetch()} what="The experiments could not be read." />}
        {query.isPending && <Rows skeleton />}
        {items && items.length === 0 && (search.q ? <p className={classes.none}>No experiment matches “{search.q}”.</p> : <EmptyList />)}
        {items && items.length > 0 && <Rows items={items} />}
        {query.data && query.data.total > PAGE && <Pages total={query.data.total} page={search.page ?? 1} />}
      </div>
    </>
  )
}

function SearchLine({ shown, total }: { shown?: number; total?: number }) {
  const search = experimentsRoute.useSearch()
  const navigate = useNavigate()
  const [text, setText] = useState(search.q ?? '')
  const sent = useRef(search.q)
  const input = useRef<HTMLInputElement>(null)
  useHotkeys([['/', () => input.current?.focus()]])
  useEffect(() => {
    // A tag that was clicked, or Back: what was typed here came back unchanged.
    if (search.q !== sent.current) setText(search.q ?? '')
    sent.current = search.q
  }, [search.q])
  useEffect(() => {
    if (text === (search.q ?? '')) return
    const timer = setTimeout(() => {
      sent.current = text || undefined
      void navigate({ to: '/', search: { q: text || undefined }, replace: true })
    }, 200)
    return () => clearTimeout(timer)
  }, [text, search.q, navigate])
  return (
    <div className={classes.search}>
      <TextInput
        ref={input}
        className={classes.input}
        placeholder="Filter: text or #tag"
        aria-label="Filter experiments"
        leftSection={<Icon name="search" size={14} />}
        rightSection={<kbd className={classes.key}>/</kbd>}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      {shown !== undefined && (
        <span className="secondary num">
          {shown} of {total}
        </span>
      )}
      <TrashLink />
    </div>
  )
}

function TrashLink() {
  const held = useQuery(trashQuery()).data?.experiments
  if (!held) return null
  return (
    <Link to="/" search={{ trash: true }} className={classes.trash}>
      <Icon name="trash" size={14} /> {held} in the trash
    </Link>
  )
}

const NONE: ExperimentSummary[] = []

function Rows({ items = NONE, skeleton = false }: { items?: ExperimentSummary[]; skeleton?: boolean }) {
  const running = items.filter((item) => isActive(item.counts))
  const finished = items.filter((item) => !isActive(item.counts))
  return (
    <div className="scroll-x" tabIndex={-1}>
      <table className={`table ${classes.table}`}>
        <thead>
          <tr>
            <th>Experiment</th>
            <th className={classes.runs}>Runs</th>
            <th>Best test RMSE</th>
            <th className={classes.data}>Data</th>
            <th className="right">Time left</th>
            <th className={`right ${classes.created}`}>Created</th>
          </tr>
        </thead>
        {skeleton && <SkeletonRows />}
        <Group title="Running" items={running} />
        <Group title="Finished" items={finished} />
      </table>
      {items.length > 0 && <Legend />}
    </div>
  )
}

function Group({ title, items }: { title: string; items: ExperimentSummary[] }) {
  if (items.length === 0) return null
  return (
    <tbody>
      <tr>
        <th colSpan={6} scope="colgroup" className={classes.group}>
          <b>{title}</b> <span className="num">{items.length}</span>
        </th>
      </tr>
      {items.map((item) => (
        <ExperimentRow key={item.id} item={item} />
      ))}
    </tbody>
  )
}

function SkeletonRows() {
  return (
    <tbody aria-hidden>
      {[0, 1, 2, 3].map((row) => (
        <tr key={row} className={classes.row}>
          {[220, 148, 90, 60, 60, 70].map((width, i) => (
            <td key={i}>
              <Skeleton height={10} width={width} radius="xs" animate={false} />
            </td>
          ))}
        </tr>
      ))}
    </tbody>
  )
}

function Legend() {
  return (
    <ul className={classes.legend} aria-label="Colours of the bars">
      {(['finished', 'running', 'failed', 'cancelled', 'queued'] as const).map((state) => (
        <li key={state}>
          <span className={`${classes.swatch} ${classes[state]}`} /> {state === 'finished' ? 'done' : state}
        </li>
      ))}
    </ul>
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
          Newer
        </Link>
      )}
      {page < last && (
        <Link to="/" search={{ ...search, page: page + 1 }}>
          Older
        </Link>
      )}
    </nav>
  )
}
