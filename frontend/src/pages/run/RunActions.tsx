import { ActionIcon, Button, Menu } from '@mantine/core'
import { useClipboard } from '@mantine/hooks'
import { useNavigate } from '@tanstack/react-router'

import type { RunDetail } from '../../api/types'
import { ButtonLink } from '../../components/ButtonLink'
import { Icon } from '../../components/icons'
import { toast } from '../../components/toast'
import { useRunMove } from '../../components/useRunMove'
import { isScript } from '../../lib/script'

export function RunActions({ run }: { run: RunDetail }) {
  const cancel = useRunMove(run.id, 'cancel')
  const retry = useRunMove(run.id, 'retry')
  const active = run.status === 'queued' || run.status === 'running'
  const stopping = run.cancel_requested && run.status === 'running'
  return (
    <>
      {!isScript(run) && (
        <ButtonLink to="/experiments/new" search={{ run: run.id }} variant="default" leftSection={<Icon name="copy" size={14} />} title="A new experiment with this run's configuration">
          Clone
        </ButtonLink>
      )}
      {active && (
        <Button
          variant="default"
          leftSection={<Icon name="stop" size={14} />}
          loading={cancel.isPending}
          disabled={stopping}
          onClick={() => cancel.mutate(undefined, { onSuccess: () => toast(cancelWords(run)) })}
        >
          {stopping ? 'Stopping …' : run.status === 'running' ? 'Stop' : 'Cancel'}
        </Button>
      )}
      {(run.status === 'failed' || run.status === 'cancelled') && !isScript(run) && (
        <Button leftSection={<Icon name="retry" size={14} />} loading={retry.isPending} onClick={() => retry.mutate(undefined, { onSuccess: () => toast('The run is back in the queue.') })}>
          Retry
        </Button>
      )}
      <More run={run} />
    </>
  )
}

function More({ run }: { run: RunDetail }) {
  const { copy } = useClipboard()
  const navigate = useNavigate()
  const put = (text: string, words: string) => {
    copy(text)
    toast(words)
  }
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="default" size={30} aria-label="More actions">
          <Icon name="more" />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => void navigate({ to: '/compare', search: { runs: String(run.id) } })}>Compare with other runs</Menu.Item>
        <Menu.Item onClick={() => put(location.href, 'The link to this view is copied.')}>Copy link to this view</Menu.Item>
        <Menu.Item onClick={() => put(run.identity, 'The identity of the run is copied.')}>Copy identity</Menu.Item>
        <Menu.Item component="a" href={`/api/runs/${run.id}`} target="_blank">
          Open as JSON
        </Menu.Item>
        <Menu.Item component="a" href={`/api/runs/${run.id}/metrics?max_points=1000000`} download={`run-${run.id}-curves.json`}>
          Download all curves
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}

function cancelWords(run: RunDetail): string {
  if (isScript(run)) return 'The script is asked to stop, and ends when it looks.'
  return run.status === 'running' ? 'The run stops after a checkpoint. What it recorded is kept; Retry goes on from there.' : 'The run is out of the queue; Retry puts it back.'
}
