import { Button } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useNavigate } from '@tanstack/react-router'

import { api, unwrap } from '../../api/client'
import type { ExperimentDetail } from '../../api/types'
import { Confirm } from '../../components/Confirm'
import { Icon } from '../../components/icons'
import { toast, toastError } from '../../components/toast'
import { freedWords, useExperimentMove, useRefresh } from '../../components/useExperimentMove'
import { dateTime, plural } from '../../lib/format'
import classes from './Experiment.module.css'

/** Of an experiment in the trash: until when it can come back. */
export function TrashStrip({ experiment }: { experiment: ExperimentDetail }) {
  const restore = useExperimentMove(experiment.id, 'restore')
  if (!experiment.deleted_at || !experiment.purge_at) return null
  return (
    <div className={classes.trash} role="status">
      <Icon name="trash" />
      <p>
        <b className="strong">In the trash.</b> It can be restored until {dateTime(experiment.purge_at)}; then it goes for good, and with it those of its runs that no other experiment links.
      </p>
      <Button variant="default" loading={restore.isPending} onClick={() => restore.mutate()}>
        Restore
      </Button>
      <RemoveButton experiment={experiment} />
    </div>
  )
}

function RemoveButton({ experiment }: { experiment: ExperimentDetail }) {
  const [asking, { open, close }] = useDisclosure(false)
  const navigate = useNavigate()
  const refresh = useRefresh()
  const remove = async () => {
    try {
      const done = await unwrap(api.DELETE('/api/experiments/{id}', { params: { path: { id: experiment.id }, query: { now: true } } }))
      toast(done.freed ? `“${experiment.name}” is gone. ${freedWords(done.freed)}` : `“${experiment.name}” goes as soon as ${plural(done.stopping, 'run')} stopped.`)
      await navigate({ to: '/', search: { trash: true } })
      await refresh()
    } catch (error) {
      toastError(error)
    }
  }
  return (
    <>
      <Button variant="subtle" color="red" onClick={open}>
        Delete for good
      </Button>
      <Confirm opened={asking} onClose={close} onConfirm={remove} title={`Delete “${experiment.name}” for good?`} action="Delete for good">
        <p>Curves, evaluations, depth maps, logs and checkpoints of the runs that no other experiment links are removed now. This cannot be undone.</p>
      </Confirm>
    </>
  )
}
