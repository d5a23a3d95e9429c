import { ActionIcon, Button, SegmentedControl, Switch, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react'

import { logQuery } from '../../api/queries'
import type { RunDetail } from '../../api/types'
import { ErrorPanel } from '../../components/ErrorPanel'
import { Icon } from '../../components/icons'
import { save } from '../../components/save'
import { sentence } from '../../lib/attempts'
import { atLevel, logLines, matches, pieces, step, type LogLine } from '../../lib/log'
import { count, plural } from '../../lib/format'
import { isScript } from '../../lib/script'
import classes from './Log.module.css'
import { useRunSearch } from './useRunSearch'

const LINE_PX = 18
const LEVELS = [
  { value: 'all', label: 'All' },
  { value: 'warning', label: 'Warnings' },
  { value: 'error', label: 'Errors' },
]

/** The run's log; of a failed run its reason comes first, in a sentence. */
export function LogPanel({ run, failed = false }: { run: RunDetail; failed?: boolean }) {
  const query = useQuery(logQuery(run.id))
  const lines = useMemo(() => logLines(query.data?.text ?? ''), [query.data])
  const silent = isScript(run) && lines.length === 0
  return (
    <section aria-label="Log">
      {failed && run.reason && (
        <div className={classes.reason} role="alert">
          <Icon name="warning" />
          <p>
            <b>This run failed.</b> {sentence(run.reason)}
          </p>
        </div>
      )}
      {query.error && !query.data && <ErrorPanel error={query.error} onRetry={() => void query.refetch()} />}
      {query.data && !silent && <Log run={run} lines={lines} truncated={query.data.truncated} text={query.data.text} />}
    </section>
  )
}

interface LogProps {
  run: RunDetail
  lines: LogLine[]
  truncated: boolean
  text: string
}

function Log({ run, lines, truncated, text }: LogProps) {
  const [search, change] = useRunSearch()
  const [follow, setFollow] = useState(search.find === undefined)
  const [at, setAt] = useState(0)
  const wanted = search.find ?? ''
  const level = LEVELS.some(({ value }) => value === search.level) ? (search.level as 'warning' | 'error') : 'all'
  const shown = useMemo(() => atLevel(lines, level), [lines, level])
  const found = useMemo(() => matches(shown, wanted), [shown, wanted])
  const current = Math.min(at, Math.max(0, found.length - 1))
  const go = (by: 1 | -1) => {
    setFollow(false)
    setAt(step(current, by, found.length))
  }
  const look = (find: string) => {
    setAt(0)
    if (find) setFollow(false)
    change({ find: find || undefined })
  }
  const keys = (event: KeyboardEvent) => {
    if (event.key !== 'Enter') return
    event.preventDefault()
    go(event.shiftKey ? -1 : 1)
  }
  return (
    <>
      <div className="spread">
        <h2 className="section">
          Log <span className={`${classes.quiet} num`}>{plural(lines.length, 'line')}</span>
        </h2>
        <span className={classes.tools}>
          <SegmentedControl aria-label="Level" data={LEVELS} value={level} onChange={(value) => change({ level: value === 'all' ? undefined : value })} />
          <TextInput aria-label="Search the log" placeholder="Search the log" w={180} leftSection={<Icon name="search" size={14} />} value={wanted} onKeyDown={keys} onChange={(event) => look(event.currentTarget.value)} />
          {wanted !== '' && (
            <span className={classes.found}>
              <span className="secondary num" role="status">
                {found.length === 0 ? 'no match' : `${count(current + 1)} of ${count(found.length)}`}
              </span>
              <ActionIcon variant="subtle" color="gray" size={24} aria-label="Match before" disabled={found.length === 0} onClick={() => go(-1)}>
                <Icon name="up" size={14} />
              </ActionIcon>
              <ActionIcon variant="subtle" color="gray" size={24} aria-label="Next match" disabled={found.length === 0} onClick={() => go(1)}>
                <Icon name="down" size={14} />
              </ActionIcon>
            </span>
          )}
          <Switch label="Follow" checked={follow} onChange={(event) => setFollow(event.currentTarget.checked)} />
          <Download run={run} text={text} />
        </span>
      </div>
      {truncated && <p className="secondary">The beginning is no longer kept.</p>}
      {lines.length === 0 ? (
        <p className={classes.nothing}>Nothing has been logged yet.</p>
      ) : (
        <Lines lines={shown} wanted={wanted} current={wanted === '' ? null : (found[current] ?? null)} follow={follow} onFollow={setFollow} />
      )}
    </>
  )
}

function Download({ run, text }: { run: RunDetail; text: string }) {
  return (
    <Button variant="subtle" color="gray" size="compact-sm" leftSection={<Icon name="download" size={14} />} disabled={text === ''} onClick={() => save(new Blob([text], { type: 'text/plain' }), `run-${run.id}.log`)}>
      Download
    </Button>
  )
}

interface LinesProps {
  lines: LogLine[]
  wanted: string
  /** place of the match at hand */
  current: number | null
  follow: boolean
  onFollow: (follow: boolean) => void
}

/** Only the lines in sight are in the page: a log may have tens of thousands. */
function Lines({ lines, wanted, current, follow, onFollow }: LinesProps) {
  const frame = useRef<HTMLDivElement>(null)
  const rows = useVirtualizer({ count: lines.length, getScrollElement: () => frame.current, estimateSize: () => LINE_PX, overscan: 20 })
  const widest = useMemo(() => lines.reduce((most, line) => Math.max(most, line.text.length), 0), [lines])
  useEffect(() => {
    if (follow && frame.current) frame.current.scrollTop = frame.current.scrollHeight
  }, [lines, follow])
  useEffect(() => {
    if (current !== null) rows.scrollToIndex(current, { align: 'center' })
  }, [current, rows])
  const leave = () => {
    const box = frame.current!
    if (box.scrollHeight - box.scrollTop - box.clientHeight > 2 * LINE_PX) onFollow(false)
  }
  return (
    <div ref={frame} className={classes.log} tabIndex={0} role="log" aria-live="off" aria-label="Log of the run" onWheel={leave} onKeyDown={leave}>
      <div style={{ height: rows.getTotalSize(), minWidth: `${widest + 8}ch`, position: 'relative' }}>
        {rows.getVirtualItems().map(({ index, start }) => (
          <Line key={index} line={lines[index]!} wanted={wanted} current={index === current} top={start} />
        ))}
      </div>
    </div>
  )
}

function Line({ line, wanted, current, top }: { line: LogLine; wanted: string; current: boolean; top: number }) {
  return (
    <div className={classes.line} data-level={line.level} style={{ transform: `translateY(${top}px)` }}>
      <span className={classes.number} aria-hidden>
        {line.number}
      </span>
      {pieces(line.text, wanted).map((piece, i) => (i % 2 === 0 ? piece : <mark key={i} data-current={current || undefined}>{piece}</mark>))}
    </div>
  )
}
