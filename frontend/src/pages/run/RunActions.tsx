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
          disabled={run.cancel_requested}
          onClick={() => cancel.mutate(undefined, { onSuccess: () => toast(isScript(run) ? 'The script is asked to stop, and ends when it looks.' : 'The run stops at its next step. What it recorded is kept; Retry puts it back.') })}
        >
          {run.cancel_requested ? 'Stopping' : 'Cancel'}
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
