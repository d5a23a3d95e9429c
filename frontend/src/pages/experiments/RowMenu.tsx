import { Menu } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'

import type { ExperimentSummary } from '../../api/types'
import { Icon } from '../../components/icons'
import { useExperimentChange } from '../../components/useExperimentChange'
import { useDelete } from '../../components/useExperimentMove'
import classes from './Experiments.module.css'

export function RowMenu({ item }: { item: ExperimentSummary }) {
  const navigate = useNavigate()
  const { change, archive } = useExperimentChange()
  const remove = useDelete(item, () => undefined)
  const archived = item.archived_at !== null
  return (
    <Menu>
      <Menu.Target>
        <button type="button" className={classes.dots} aria-label={`What to do with ${item.name}`}>
          <Icon name="more" />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<Icon name="pin" size={14} />} onClick={() => change.mutate({ ids: [item.id], body: { pinned: !item.pinned } })}>
          {item.pinned ? 'Unpin' : 'Pin'}
        </Menu.Item>
        <Menu.Item leftSection={<Icon name="archive" size={14} />} onClick={() => archive.mutate({ experiments: [item], archived: !archived })}>
          {archived ? 'Put back on the list' : 'Archive'}
        </Menu.Item>
        <Menu.Item leftSection={<Icon name="copy" size={14} />} onClick={() => void navigate({ to: '/experiments/new', search: { from: item.id } })}>
          New experiment from this one
        </Menu.Item>
        <Menu.Item leftSection={<Icon name="trash" size={14} />} c="var(--db-failed)" onClick={() => remove.mutate()}>
          Delete
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
