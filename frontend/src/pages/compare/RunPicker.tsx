import { Button, Popover, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'

import { runPageQuery } from '../../api/queries'
import type { RunSummary } from '../../api/types'
import { Icon } from '../../components/icons'
import { lossLabel, LossGlyph } from '../../components/LossGlyph'
import { StateGlyph } from '../../components/StateGlyph'
import { useLosses } from '../../components/useLosses'
import { count, metric } from '../../lib/format'
import { cellState } from '../../lib/grid'
import { isScript } from '../../lib/script'
import classes from './Compare.module.css'

const SHOWN = 14
const TYPING_MS = 200

/** Finds a run by words or by the filter's language, and adds it. */
export function RunPicker({ chosen, onAdd }: { chosen: readonly number[]; onAdd: (id: number) => void }) {
  return (
    <Popover width={520} position="bottom-start" shadow="md" trapFocus>
      <Popover.Target>
        <Button variant="default" leftSection={<Icon name="plus" size={14} />}>
          Add a run
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <Finder chosen={chosen} onAdd={onAdd} />
      </Popover.Dropdown>
    </Popover>
  )
}

function Finder({ chosen, onAdd }: { chosen: readonly number[]; onAdd: (id: number) => void }) {
  const [text, setText] = useState('')
  const [typed] = useDebouncedValue(text, TYPING_MS)
  const query = useQuery(runPageQuery(null, { filter: typed || undefined, sort: '-id' }))
  const found = query.data?.items.filter((run) => !chosen.includes(run.id)).slice(0, SHOWN)
  const rest = query.data ? query.data.total - chosen.length - (found?.length ?? 0) : 0
  return (
    <>
      <TextInput
        data-autofocus
        aria-label="Find a run"
        placeholder="Words, or loss = berhu and size = 512 and rmse < 0.65"
        value={text}
        error={query.error?.message}
        spellCheck={false}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => event.key === 'Enter' && found?.[0] && onAdd(found[0].id)}
      />
      <ul className={classes.found} aria-label="Runs found">
        {found?.map((run) => (
          <li key={run.id}>
            <button type="button" className={classes.add} onClick={() => onAdd(run.id)}>
              <Words run={run} />
            </button>
          </li>
        ))}
      </ul>
      {found?.length === 0 && <p className="secondary">No other run matches.</p>}
      {rest > 0 && <p className="secondary">{count(rest)} more: say which</p>}
    </>
  )
}

function Words({ run }: { run: RunSummary }) {
  const losses = useLosses()
  const rmse = run.metrics?.rmse
  return (
    <>
      <span className={`faint num ${classes.number}`}>{run.id}</span>
      <LossGlyph name={run.loss} />
      <span className={`ellipsis ${classes.grow}`}>
        {isScript(run) ? (run.name ?? 'script') : `${lossLabel(run.loss, run.loss_label, losses.title)} · ${run.dataset} · ${count(run.train_size)} · ${losses.encoder(run.encoder)} · seed ${run.seed}`}
      </span>
      <StateGlyph state={cellState(run)} progress={run.step / Math.max(1, run.steps)} size={12} />
      <span className={`num ${classes.value}`}>{rmse == null ? '' : metric(rmse, losses.metric('rmse'))}</span>
    </>
  )
}
