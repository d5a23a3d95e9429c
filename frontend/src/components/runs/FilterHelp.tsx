import { Popover, TextInput } from '@mantine/core'
import { useState } from 'react'

import type { RunNames } from '../../api/types'
import { namesOf, quotedName } from '../../lib/completion'
import classes from './RunFilter.module.css'

const EXAMPLES: [string, string][] = [
  ['loss = berhu and abs_rel < 0.2', 'tests joined by and, or, not'],
  ['loss in (l1, eigen) and size >= 12k', 'one of several; 12k is 12 000'],
  ['encoder = dense* and not seed = 3', '* stands for anything'],
  ['name ~ "resnet"', 'contains, whatever the case'],
  ['has(metric.val/rmse)', 'runs that have it at all'],
  ['status = failed', 'queued, running, finished, failed, cancelled'],
  ['berhu 512', 'words alone are looked for in loss, data, encoder, state, size, name and seed'],
]
const MOST = 40

/** The filter by example, and every name that it knows. */
export function FilterHelp({ names, onUse, onOpen }: { names: RunNames | undefined; onUse: (text: string) => void; onOpen: () => void }) {
  const [text, setText] = useState('')
  const known = names ? namesOf(names).filter((name) => name.toLowerCase().includes(text.trim().toLowerCase())) : []
  return (
    <Popover width={440} position="bottom-end" shadow="md" trapFocus onOpen={onOpen}>
      <Popover.Target>
        <button type="button" className={classes.help} aria-label="How to filter" title="How to filter">
          ?
        </button>
      </Popover.Target>
      <Popover.Dropdown>
        <ul className={classes.examples}>
          {EXAMPLES.map(([filter, words]) => (
            <li key={filter}>
              <button type="button" className="link" onClick={() => onUse(filter)}>
                <code>{filter}</code>
              </button>
              <span className="secondary">{words}</span>
            </li>
          ))}
        </ul>
        <TextInput aria-label="Find a name" placeholder="Names that can be asked about" value={text} onChange={(event) => setText(event.currentTarget.value)} />
        <div className={classes.names}>
          {known.slice(0, MOST).map((name) => (
            <button key={name} type="button" className="link" onClick={() => onUse(`${quotedName(name)} = `)}>
              <code>{name}</code>
            </button>
          ))}
          {known.length > MOST && <span className="secondary">{known.length - MOST} more: type to find them</span>}
          {names && known.length === 0 && <span className="secondary">No run has anything called so.</span>}
        </div>
      </Popover.Dropdown>
    </Popover>
  )
}
