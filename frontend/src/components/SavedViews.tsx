import { ActionIcon, Menu, Tooltip } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useRouter, useRouterState } from '@tanstack/react-router'
import { useState, type MouseEvent } from 'react'

import { viewsQuery } from '../api/queries'
import type { SavedView } from '../api/types'
import { useActions } from './actions'
import { Icon } from './icons'
import classes from './SavedViews.module.css'
import { SaveView } from './SaveView'
import { useKeys } from './useKeys'
import { useViewMoves } from './useViews'

const MOST = 12

/** The views that people saved, in the side bar; in a rail behind one button. */
export function SavedViews() {
  const views = useQuery(viewsQuery()).data ?? []
  const [saving, { open, close }] = useDisclosure(false)
  useKeys('everywhere', { save: open })
  useActions([{ label: 'Save this view', icon: 'bookmark', run: open }])
  return (
    <section className={classes.views} aria-label="Saved views">
      <div className={classes.head}>
        <h2>Saved views</h2>
        <Tooltip label="Save this view (Ctrl S)">
          <ActionIcon variant="subtle" color="gray" size={24} aria-label="Save this view" onClick={open}>
            <Icon name="plus" size={14} />
          </ActionIcon>
        </Tooltip>
      </div>
      <ul className={classes.list}>
        {views.slice(0, MOST).map((view) => (
          <View key={view.id} view={view} />
        ))}
      </ul>
      {views.length > MOST && <p className={classes.more}>{views.length - MOST} more under Ctrl K</p>}
      <RailMenu views={views} onSave={open} />
      {saving && <SaveView onClose={close} />}
    </section>
  )
}

/** Goes to the address exactly as it was saved; with Ctrl or the middle button in a tab of its own. */
function useFollow() {
  const router = useRouter()
  return (event: MouseEvent, address: string) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return
    event.preventDefault()
    router.history.push(address)
  }
}

function View({ view }: { view: SavedView }) {
  const follow = useFollow()
  const here = useRouterState({ select: (state) => state.location.href })
  const [renaming, setRenaming] = useState(false)
  const address = view.path + view.search
  if (renaming) return <Rename view={view} onDone={() => setRenaming(false)} />
  return (
    <li className={classes.view} data-active={here === address || undefined}>
      <a href={address} title={view.name} aria-current={here === address ? 'page' : undefined} onClick={(event) => follow(event, address)}>
        <Icon name="bookmark" size={14} />
        <span className="ellipsis">{view.name}</span>
      </a>
      <ViewMenu view={view} here={here} onRename={() => setRenaming(true)} />
    </li>
  )
}

function ViewMenu({ view, here, onRename }: { view: SavedView; here: string; onRename: () => void }) {
  const { change, remove } = useViewMoves()
  const [path, search] = [here.split('?')[0]!, here.includes('?') ? here.slice(here.indexOf('?')) : '']
  return (
    <Menu position="bottom-start">
      <Menu.Target>
        <button type="button" className={classes.dots} aria-label={`What to do with the view ${view.name}`}>
          <Icon name="more" size={14} />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<Icon name="pencil" size={14} />} onClick={onRename}>
          Rename
        </Menu.Item>
        {here !== view.path + view.search && (
          <Menu.Item leftSection={<Icon name="bookmark" size={14} />} onClick={() => change.mutate({ id: view.id, path, search })}>
            Show what is open now
          </Menu.Item>
        )}
        <Menu.Item leftSection={<Icon name="trash" size={14} />} c="var(--db-failed)" onClick={() => remove.mutate(view.id)}>
          Delete
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}

/** Enter saves, Escape keeps the old name. */
function Rename({ view, onDone }: { view: SavedView; onDone: () => void }) {
  const [name, setName] = useState(view.name)
  const { change } = useViewMoves()
  const save = () => {
    const text = name.trim()
    if (text && text !== view.name) change.mutate({ id: view.id, name: text })
    onDone()
  }
  return (
    <li>
      <input
        autoFocus
        className={classes.rename}
        aria-label="Name of the view"
        maxLength={200}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        onFocus={(event) => event.currentTarget.select()}
        onBlur={save}
        onKeyDown={(event) => {
          if (event.key === 'Enter') save()
          if (event.key === 'Escape') onDone()
        }}
      />
    </li>
  )
}

function RailMenu({ views, onSave }: { views: SavedView[]; onSave: () => void }) {
  const router = useRouter()
  return (
    <Menu position="right-start">
      <Menu.Target>
        <button type="button" className={classes.rail} aria-label="Saved views" title="Saved views">
          <Icon name="bookmark" />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<Icon name="plus" size={14} />} onClick={onSave}>
          Save this view
        </Menu.Item>
        {views.length > 0 && <Menu.Divider />}
        {views.slice(0, MOST).map((view) => (
          <Menu.Item key={view.id} onClick={() => router.history.push(view.path + view.search)}>
            <span className={classes.railName}>{view.name}</span>
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}
