import { Button } from '@mantine/core'

import type { RunDetail } from '../../api/types'
import { CopyLink } from '../../components/CopyLink'
import { Icon } from '../../components/icons'
import { toast } from '../../components/toast'
import { useRunMove } from '../../components/useRunMove'
import { isScript } from '../../lib/script'

export function RunActions({ run }: { run: RunDetail }) {
  const cancel = useRunMove(run.id, 'cancel')
  const retry = useRunMove(run.id, 'retry')
  const active = run.status === 'queued' || run.status === 'running'
  return (
    <>
      <CopyLink />
      {active && (
        <Button
          variant="default"
          leftSection={<Icon name="stop" size={14} />}
          loading={cancel.isPending}
          disabled={run.cancel_requested && run.status === 'running'}
          onClick={() => cancel.mutate(undefined, { onSuccess: () => toast(cancelWords(run)) })}
        >
          {run.cancel_requested && run.status === 'running' ? 'Stopping …' : 'Cancel'}
        </Button>
      )}
      {(run.status === 'failed' || run.status === 'cancelled') && !isScript(run) && (
        <Button leftSection={<Icon name="retry" size={14} />} loading={retry.isPending} onClick={() => retry.mutate(undefined, { onSuccess: () => toast('The run is back in the queue.') })}>
          Retry
        </Button>
      )}
    </>
  )
}

function cancelWords(run: RunDetail): string {
  if (isScript(run)) return 'The script is asked to stop, and ends when it looks.'
  return run.status === 'running' ? 'The run stops after a checkpoint. What it recorded is kept; Retry goes on from there.' : 'The run is out of the queue; Retry puts it back.'
}
