import { Modal, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useState } from 'react'

import { findEntries } from '../lib/palette'
import { Icon } from './icons'
import classes from './Palette.module.css'
import { useFindable, type Entry } from './useFindable'
import { useKeys } from './useKeys'

/** “Find anything”, on Ctrl K: experiments, runs by number, losses, datasets, saved views, pages, and what can be done. */
export function Palette() {
  const [opened, { open, close }] = useDisclosure(false)
  useKeys('everywhere', { palette: open })
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
  const entries = findEntries(useFindable(query), query)
  const choose = (entry: Entry | undefined) => {
    if (!entry) return
    close()
    entry.go()
  }
  const move = (event: React.KeyboardEvent) => {
    if (event.key === 'Enter') {
      event.preventDefault()
      choose(entries[active])
    }
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return
    event.preventDefault()
    const step = event.key === 'ArrowDown' ? 1 : -1
    const next = (active + step + entries.length) % Math.max(1, entries.length)
    setActive(next)
    document.getElementById(`palette-${next}`)?.scrollIntoView({ block: 'nearest' })
  }
  return (
    <div onKeyDown={move}>
      <TextInput
        data-autofocus
        className={classes.field}
        variant="unstyled"
        size="md"
        px="md"
        placeholder="An experiment, a run’s number, a loss, a page or an action"
        aria-label="Find anything"
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
            key={entry.id}
            id={`palette-${i}`}
            role="option"
            aria-selected={i === active}
            className={classes.entry}
            data-active={i === active || undefined}
            onMouseMove={() => setActive(i)}
            onClick={() => choose(entry)}
          >
            <Icon name={entry.icon} />
            <span className="ellipsis">{entry.label}</span>
            <span className="secondary">{entry.hint}</span>
          </button>
        ))}
      </div>
      {entries.length === 0 && <p className={classes.none}>Nothing here is called “{query}”. A number finds a run.</p>}
    </div>
  )
}
