import { Modal, TextInput } from '@mantine/core'
import { useDisclosure, useHotkeys } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'

import { experimentsQuery } from '../api/queries'
import { Icon, type IconName } from './icons'
import classes from './Palette.module.css'

interface Entry {
  label: string
  hint: string
  icon: IconName
  go: () => void
}

/** “Find anything”: pages and experiments by name, opened with Ctrl K. */
export function Palette() {
  const [opened, { open, close }] = useDisclosure(false)
  useHotkeys([['mod+K', open]], [])
  return (
    <>
      <button type="button" className={classes.opener} onClick={open} title="Find anything (Ctrl K)">
        <Icon name="search" size={14} />
        <span className={classes.words}>Find anything</span>
        <kbd className={classes.key}>Ctrl K</kbd>
      </button>
      {opened && (
        <Modal.Root opened onClose={close} padding={0} yOffset="12vh" centered={false} size={560}>
          <Modal.Overlay />
          <Modal.Content aria-label="Find anything">
            <Finder close={close} />
          </Modal.Content>
        </Modal.Root>
      )}
    </>
  )
}

function Finder({ close }: { close: () => void }) {
  const [query, setQuery] = useState('')
  const [active, setActive] = useState(0)
  const entries = useEntries(query)
  const choose = (entry: Entry | undefined) => {
    if (!entry) return
    close()
    entry.go()
  }
  const move = (event: React.KeyboardEvent) => {
    if (event.key === 'Enter') choose(entries[active])
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return
    event.preventDefault()
    const step = event.key === 'ArrowDown' ? 1 : -1
    setActive((at) => (at + step + entries.length) % Math.max(1, entries.length))
  }
  return (
    <div onKeyDown={move}>
      <TextInput
        data-autofocus
        className={classes.field}
        variant="unstyled"
        size="md"
        px="md"
        placeholder="An experiment or a page"
        aria-label="Find an experiment or a page"
        role="combobox"
        aria-expanded
        aria-controls="palette-list"
        aria-activedescendant={entries[active] ? `palette-${active}` : undefined}
        value={query}
        onChange={(event) => {
          setQuery(event.currentTarget.value)
          setActive(0)
        }}
        leftSection={<Icon name="search" />}
      />
      <div className={classes.list} role="listbox" id="palette-list" aria-label="Found">
        {entries.map((entry, i) => (
          <button
            type="button"
            tabIndex={-1}
            key={entry.label + entry.hint}
            id={`palette-${i}`}
            role="option"
            aria-selected={i === active}
            className={classes.entry}
            data-active={i === active || undefined}
            onMouseEnter={() => setActive(i)}
            onClick={() => choose(entry)}
          >
            <Icon name={entry.icon} />
            <span className="ellipsis">{entry.label}</span>
            <span className="secondary">{entry.hint}</span>
          </button>
        ))}
        {entries.length === 0 && <p className={classes.none}>Nothing is called that.</p>}
      </div>
    </div>
  )
}

function useEntries(query: string): Entry[] {
  const navigate = useNavigate()
  const experiments = useQuery(experimentsQuery()).data?.items ?? []
  const pages: Entry[] = [
    { label: 'Experiments', hint: 'page', icon: 'experiments', go: () => void navigate({ to: '/' }) },
    { label: 'New experiment', hint: 'page', icon: 'plus', go: () => void navigate({ to: '/experiments/new' }) },
    { label: 'Losses', hint: 'page', icon: 'losses', go: () => void navigate({ to: '/losses' }) },
    { label: 'Datasets', hint: 'page', icon: 'datasets', go: () => void navigate({ to: '/datasets' }) },
    { label: 'Queue & workers', hint: 'page', icon: 'workers', go: () => void navigate({ to: '/workers' }) },
  ]
  const found: Entry[] = experiments.map((experiment) => ({
    label: experiment.name,
    hint: 'experiment',
    icon: 'experiments',
    go: () => void navigate({ to: '/experiments/$experimentId/$tab', params: { experimentId: String(experiment.id), tab: 'overview' } }),
  }))
  const wanted = query.toLowerCase()
  return [...found, ...pages].filter((entry) => entry.label.toLowerCase().includes(wanted)).slice(0, 9)
}
