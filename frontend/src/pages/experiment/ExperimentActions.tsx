import { ActionIcon, Button, Menu } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'

import { api, unwrap } from '../../api/client'
import { figuresQuery } from '../../api/queries'
import type { ExperimentDetail } from '../../api/types'
import { Confirm } from '../../components/Confirm'
import { CopyLink } from '../../components/CopyLink'
import { ExportMenu } from '../../components/ExportMenu'
import { Icon } from '../../components/icons'
import { total } from '../../components/RunBar'
import { toast, toastError } from '../../components/toast'
import { isActive } from '../../lib/experiment'
import { plural } from '../../lib/format'
import type { Tab } from '../../router'
import { figureOptions } from './FigureTab'
import { useExperimentSearch } from './useExperimentSearch'

/** These tabs have a menu of their own, with more formats. */
const TABLES: Tab[] = ['results', 'sharpness']

interface Props {
  experiment: ExperimentDetail
  tab: Tab
  onDeleted: () => void
}

/** What can be done with the whole experiment, and with the figure that is shown. */
export function ExperimentActions({ experiment, tab, onDeleted }: Props) {
  const [search] = useExperimentSearch()
  const figure = useQuery(figuresQuery(experiment.id)).data?.find((entry) => entry.name === tab && !TABLES.includes(tab))
  return (
    <>
      <CopyLink />
      {figure && <ExportMenu experimentId={experiment.id} name={figure.name} options={figureOptions(figure.options, search)} />}
      <StateButton experiment={experiment} />
      <MoreMenu experiment={experiment} onDeleted={onDeleted} />
    </>
  )
}

function useMove(experiment: ExperimentDetail, move: 'cancel' | 'retry') {
  const client = useQueryClient()
  return useMutation({
    mutationFn: () =>
      unwrap(
        move === 'cancel'
          ? api.POST('/api/experiments/{id}/cancel', { params: { path: { id: experiment.id } } })
          : api.POST('/api/experiments/{id}/retry', { params: { path: { id: experiment.id } } }),
      ),
    onSuccess: () => client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] === 'experiments' || queryKey[1] === experiment.id }),
    onError: toastError,
  })
}

/** The one move that fits: stop what runs, or put back what stopped. */
function StateButton({ experiment }: { experiment: ExperimentDetail }) {
  const cancel = useMove(experiment, 'cancel')
  const retry = useMove(experiment, 'retry')
  const { counts } = experiment
  const again = (counts.failed ?? 0) + (counts.cancelled ?? 0)
  const waiting = (counts.queued ?? 0) + (counts.running ?? 0)
  return (
    <>
      {again > 0 && (
        <Button variant="default" leftSection={<Icon name="retry" size={14} />} loading={retry.isPending} onClick={() => retry.mutate(undefined, { onSuccess: () => toast(`${plural(again, 'run')} went back to the queue.`) })}>
          Retry {again}
        </Button>
      )}
      {isActive(counts) && (
        <Button variant="default" leftSection={<Icon name="stop" size={14} />} loading={cancel.isPending} onClick={() => cancel.mutate(undefined, { onSuccess: () => toast(`${plural(waiting, 'run')} will stop. What they recorded is kept, and Retry puts them back.`) })}>
          Cancel
        </Button>
      )}
    </>
  )
}

function MoreMenu({ experiment, onDeleted }: { experiment: ExperimentDetail; onDeleted: () => void }) {
  const [asking, { open, close }] = useDisclosure(false)
  const navigate = useNavigate()
  return (
    <>
      <Menu>
        <Menu.Target>
          <ActionIcon aria-label="More actions">
            <Icon name="more" />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<Icon name="copy" />} onClick={() => void navigate({ to: '/experiments/new', search: { from: experiment.id } })}>
            New experiment from this one
          </Menu.Item>
          <Menu.Item leftSection={<Icon name="trash" />} c="var(--db-failed)" onClick={open}>
            Delete
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <DeleteDialog experiment={experiment} opened={asking} onClose={close} onDeleted={onDeleted} />
    </>
  )
}

interface DeleteProps {
  experiment: ExperimentDetail
  opened: boolean
  onClose: () => void
  onDeleted: () => void
}

function DeleteDialog({ experiment, opened, onClose, onDeleted }: DeleteProps) {
  const client = useQueryClient()
  const remove = async () => {
    try {
      await unwrap(api.DELETE('/api/experiments/{id}', { params: { path: { id: experiment.id } } }))
      onDeleted()
      client.removeQueries({ queryKey: ['experiment', experiment.id] })
      await client.invalidateQueries({ queryKey: ['experiments'] })
      toast(`“${experiment.name}” is deleted.`)
    } catch (error) {
      toastError(error)
    }
  }
  return (
    <Confirm opened={opened} onClose={onClose} onConfirm={remove} title={`Delete “${experiment.name}”?`} action="Delete experiment">
      <p>
        The experiment goes, and with it those of its {plural(total(experiment.counts), 'run')} that no other experiment links: their curves, evaluations, depth maps, logs and
        checkpoints. Runs that another experiment links stay there.
      </p>
      {isActive(experiment.counts) && <p>Runs that are training now stop.</p>}
      <p>This cannot be undone.</p>
    </Confirm>
  )
}
