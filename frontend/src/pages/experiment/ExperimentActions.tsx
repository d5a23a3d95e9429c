import { ActionIcon, Button, Menu } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'

import { api, unwrap } from '../../api/client'
import { figuresQuery, missingQuery } from '../../api/queries'
import type { ExperimentDetail } from '../../api/types'
import { useActions } from '../../components/actions'
import { CopyLink } from '../../components/CopyLink'
import { ExportMenu, TableExportMenu } from '../../components/ExportMenu'
import { Icon } from '../../components/icons'
import { total } from '../../components/RunBar'
import { toast, toastError } from '../../components/toast'
import { useExperimentChange } from '../../components/useExperimentChange'
import { useDelete, useExperimentMove, useRefresh, useRetry, type Ended } from '../../components/useExperimentMove'
import { completedWords, isActive } from '../../lib/experiment'
import { ofExperiment } from '../../lib/export'
import { plural } from '../../lib/format'
import { isGrid } from '../../lib/spec'
import type { Tab } from '../../router'
import { figureOptions } from './FigureTab'
import { useExperimentSearch } from './useExperimentSearch'
import { useLaunch } from './useLaunch'

const TABLES: Tab[] = ['results', 'sharpness']

interface Props {
  experiment: ExperimentDetail
  tab: Tab
  onDeleted: () => void
}

/** What can be done with the whole experiment, and with the figure that is shown. */
export function ExperimentActions({ experiment, tab, onDeleted }: Props) {
  const [search] = useExperimentSearch()
  const figure = useQuery(figuresQuery(experiment.id)).data?.find((entry) => entry.name === tab)
  return (
    <>
      <CopyLink />
      {experiment.deleted_at === null && <StateButtons experiment={experiment} />}
      {experiment.deleted_at === null && <LaunchButton experiment={experiment} />}
      {figure &&
        (TABLES.includes(tab) ? (
          <TableExportMenu key={tab} experimentId={experiment.id} name={figure.name} options={figureOptions(figure.options, search)} />
        ) : (
          <ExportMenu key={tab} source={ofExperiment(experiment.id, figure.name)} options={figureOptions(figure.options, search)} />
        ))}
      {experiment.deleted_at === null && <MoreMenu experiment={experiment} onDeleted={onDeleted} />}
    </>
  )
}

/** The moves that fit: pause or stop what runs, put back what stopped. */
function StateButtons({ experiment }: { experiment: ExperimentDetail }) {
  const cancel = useExperimentMove(experiment.id, 'cancel')
  const { counts } = experiment
  const waiting = (counts.queued ?? 0) + (counts.running ?? 0)
  return (
    <>
      <RetryButton experiment={experiment} />
      {(isActive(counts) || experiment.paused) && <PauseButton experiment={experiment} />}
      {isActive(counts) && (
        <Button variant="default" leftSection={<Icon name="stop" size={14} />} loading={cancel.isPending} onClick={() => cancel.mutate(undefined, { onSuccess: () => toast(`${plural(waiting, 'run')} will stop. What they recorded is kept, and Retry puts them back.`) })}>
          Cancel
        </Button>
      )}
    </>
  )
}

function LaunchButton({ experiment }: { experiment: ExperimentDetail }) {
  const missing = useQuery(missingQuery(experiment.id, total(experiment.counts))).data
  const launch = useLaunch(experiment.id)
  if (!missing?.length) return null
  return (
    <Button leftSection={<Icon name="play" size={14} />} loading={launch.isPending} onClick={() => launch.mutate(missing)}>
      Launch {missing.length} missing
    </Button>
  )
}

function PauseButton({ experiment }: { experiment: ExperimentDetail }) {
  const pause = useExperimentMove(experiment.id, 'pause')
  const resume = useExperimentMove(experiment.id, 'resume')
  if (experiment.paused) {
    return (
      <Button leftSection={<Icon name="play" size={14} />} loading={resume.isPending} onClick={() => resume.mutate(undefined, { onSuccess: () => toast('Its runs go on.') })}>
        Resume
      </Button>
    )
  }
  return (
    <Button
      variant="default"
      leftSection={<Icon name="pause" size={14} />}
      loading={pause.isPending}
      onClick={() => pause.mutate(undefined, { onSuccess: (found) => toast(`Paused: ${plural(found.held, 'run')} held${found.counts.running ? `, ${found.counts.running} still training stop after a checkpoint` : ''}. Runs that another experiment links go on.`) })}
    >
      Pause
    </Button>
  )
}

/** Failed and cancelled runs are put back together or each by itself. */
function RetryButton({ experiment }: { experiment: ExperimentDetail }) {
  const retry = useRetry(experiment.id)
  const { failed = 0, cancelled = 0 } = experiment.counts
  const send = (status: Ended[], n: number) => retry.mutate(status, { onSuccess: () => toast(`${plural(n, 'run')} went back to the queue.`) })
  if (failed + cancelled === 0) return null
  const button = (
    <Button variant="default" leftSection={<Icon name="retry" size={14} />} loading={retry.isPending} onClick={failed && cancelled ? undefined : () => send(['failed', 'cancelled'], failed + cancelled)}>
      Retry {failed + cancelled}
    </Button>
  )
  if (!failed || !cancelled) return button
  return (
    <Menu>
      <Menu.Target>{button}</Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => send(['failed'], failed)}>{failed} failed</Menu.Item>
        <Menu.Item onClick={() => send(['cancelled'], cancelled)}>{cancelled} cancelled</Menu.Item>
        <Menu.Item onClick={() => send(['failed', 'cancelled'], failed + cancelled)}>Both</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}

const PRIORITIES = [
  { priority: -10, words: 'Run it first' },
  { priority: 0, words: 'Run it in turn' },
  { priority: 10, words: 'Run it last' },
]

function MoreMenu({ experiment, onDeleted }: { experiment: ExperimentDetail; onDeleted: () => void }) {
  const navigate = useNavigate()
  const remove = useDelete(experiment, onDeleted)
  const complete = useComplete(experiment.id)
  const prioritise = usePriority(experiment.id)
  const { change, archive } = useExperimentChange()
  const archived = experiment.archived_at !== null
  const pin = () => change.mutate({ ids: [experiment.id], body: { pinned: !experiment.pinned } })
  const putAway = () => archive.mutate({ experiments: [experiment], archived: !archived })
  useActions([
    { label: experiment.pinned ? 'Unpin this experiment' : 'Pin this experiment', icon: 'pin', run: pin },
    { label: archived ? 'Put this experiment back on the list' : 'Archive this experiment', icon: 'archive', run: putAway },
    { label: 'New experiment from this one', icon: 'copy', run: () => void navigate({ to: '/experiments/new', search: { from: experiment.id } }) },
  ])
  return (
    <Menu>
      <Menu.Target>
        <ActionIcon aria-label="More actions">
          <Icon name="more" />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {isGrid(experiment.spec) && (
          <Menu.Item leftSection={<Icon name="copy" />} onClick={() => void navigate({ to: '/experiments/new', search: { from: experiment.id } })}>
            New experiment from this one
          </Menu.Item>
        )}
        <Menu.Item leftSection={<Icon name="pin" />} onClick={pin}>
          {experiment.pinned ? 'Unpin' : 'Pin'}
        </Menu.Item>
        <Menu.Item leftSection={<Icon name="archive" />} onClick={putAway}>
          {archived ? 'Put back on the list' : 'Archive'}
        </Menu.Item>
        <Menu.Item leftSection={<Icon name="retry" />} onClick={() => complete.mutate()}>
          Train missing cells
        </Menu.Item>
        {isActive(experiment.counts) &&
          PRIORITIES.map(({ priority, words }) => (
            <Menu.Item key={priority} leftSection={<Icon name="front" />} onClick={() => prioritise.mutate(priority)}>
              {words} <span className="secondary">priority {String(priority).replace('-', '−')}</span>
            </Menu.Item>
          ))}
        <Menu.Item leftSection={<Icon name="trash" />} c="var(--db-failed)" onClick={() => remove.mutate()}>
          Delete
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}

function useComplete(id: number) {
  const refresh = useRefresh()
  return useMutation({
    mutationFn: () => unwrap(api.POST('/api/experiments/{id}/complete', { params: { path: { id } } })),
    onSuccess: (done) => {
      toast(completedWords(done))
      return refresh(id)
    },
    onError: toastError,
  })
}

function usePriority(id: number) {
  const refresh = useRefresh()
  return useMutation({
    mutationFn: (priority: number) => unwrap(api.POST('/api/experiments/{id}/priority', { params: { path: { id } }, body: { priority } })),
    onSuccess: () => {
      toast('The queue is in a new order.')
      return refresh(id)
    },
    onError: toastError,
  })
}
