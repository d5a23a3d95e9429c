import { Button } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'

import { api, unwrap } from '../../api/client'
import { experimentsQuery, trashQuery } from '../../api/queries'
import type { ExperimentSummary } from '../../api/types'
import { Confirm } from '../../components/Confirm'
import { ErrorPanel } from '../../components/ErrorPanel'
import { PageHeader } from '../../components/PageHeader'
import { total } from '../../components/RunBar'
import { toast, toastError } from '../../components/toast'
import { useNow } from '../../components/useNow'
import { freedWords, useExperimentMove, useRefresh, waitingWords } from '../../components/useExperimentMove'
import { ago, dateTime, parseTime, plural } from '../../lib/format'
import classes from './Experiments.module.css'
import { Shelves } from './Shelves'

const DAY = 86_400_000

/** What was deleted and can still come back. */
export function TrashPage() {
  const query = useQuery(experimentsQuery({ trash: true }))
  const trash = useQuery(trashQuery()).data
  const items = query.data?.items ?? []
  return (
    <>
      <PageHeader title="Experiments" tabTitle="Trash" actions={items.length > 0 && <EmptyButton n={query.data?.total ?? items.length} />} />
      <div className={classes.page}>
        <div className={classes.search}>
          <p className="secondary">Deleted experiments{trash?.days ? `, kept for ${plural(trash.days, 'day')}` : ''}.</p>
          <Shelves />
        </div>
        {query.error && <ErrorPanel error={query.error} onRetry={() => void query.refetch()} what="The trash could not be read." />}
        {query.data && items.length === 0 && <p className={classes.none}>The trash is empty. What you delete waits here, and can be restored.</p>}
        {items.length > 0 && <Rows items={items} days={trash?.days ?? 0} />}
        {trash && waitingWords(trash.waiting).map((words) => <p key={words} className="secondary">{words}</p>)}
      </div>
    </>
  )
}

function Rows({ items, days }: { items: ExperimentSummary[]; days: number }) {
  return (
    <table className={`table ${classes.table}`}>
      <thead>
        <tr>
          <th>Experiment</th>
          <th className="right">Runs</th>
          <th>Deleted</th>
          <th>Can be restored until</th>
          <th>
            <span className="hidden-text">Restore</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {items.map((item) => (
          <Row key={item.id} item={item} days={days} />
        ))}
      </tbody>
    </table>
  )
}

function Row({ item, days }: { item: ExperimentSummary; days: number }) {
  const now = useNow()
  const restore = useExperimentMove(item.id, 'restore')
  const since = item.deleted_at ?? item.updated_at
  return (
    <tr>
      <td>
        <Link to="/experiments/$experimentId/$tab" params={{ experimentId: String(item.id), tab: 'overview' }} className={classes.link}>
          {item.name}
        </Link>
      </td>
      <td className="right num">{total(item.counts)}</td>
      <td className="num">{ago(since, now)}</td>
      <td className="num">{dateTime(new Date(parseTime(since) + days * DAY).toISOString())}</td>
      <td className="right">
        <Button variant="default" size="compact-xs" loading={restore.isPending} aria-label={`Restore ${item.name}`} onClick={() => restore.mutate(undefined, { onSuccess: () => toast(`“${item.name}” is back.`) })}>
          Restore
        </Button>
      </td>
    </tr>
  )
}

function EmptyButton({ n }: { n: number }) {
  const [asking, { open, close }] = useDisclosure(false)
  const refresh = useRefresh()
  const empty = async () => {
    try {
      toast(freedWords(await unwrap(api.DELETE('/api/trash'))))
      await refresh()
    } catch (error) {
      toastError(error)
    }
  }
  return (
    <>
      <Button variant="default" onClick={open}>
        Empty the trash
      </Button>
      <Confirm opened={asking} onClose={close} onConfirm={empty} title="Empty the trash?" action="Empty the trash">
        <p>{plural(n, 'experiment')} and the runs that no other one links are removed for good, with their checkpoints. This cannot be undone.</p>
      </Confirm>
    </>
  )
}
