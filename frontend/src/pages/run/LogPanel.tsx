import { Switch, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useMemo, useRef, useState } from 'react'

import { logQuery } from '../../api/queries'
import type { RunDetail } from '../../api/types'
import { ErrorPanel } from '../../components/ErrorPanel'
import { Icon } from '../../components/icons'
import { isScript } from '../../lib/script'
import classes from './Run.module.css'

/** The run's log; of a failed run its reason comes first, in a sentence. */
export function LogPanel({ run, failed = false }: { run: RunDetail; failed?: boolean }) {
  const query = useQuery(logQuery(run.id))
  const [search, setSearch] = useState('')
  const [follow, setFollow] = useState(true)
  const lines = useMemo(() => {
    const all = (query.data?.text ?? '').trimEnd().split('\n')
    return search === '' ? all : all.filter((line) => line.toLowerCase().includes(search.toLowerCase()))
  }, [query.data, search])
  const empty = lines.length === 1 && lines[0] === ''
  const silent = isScript(run) && empty && search === ''
  return (
    <section aria-label="Log">
      {failed && run.reason && (
        <div className={classes.reason} role="alert">
          <Icon name="warning" />
          <p>
            <b>This run failed.</b> {run.reason}
          </p>
        </div>
      )}
      {!silent && (
        <div className="spread">
          <h2 className="section">Log</h2>
          <span className={classes.smoothing}>
            <TextInput aria-label="Search the log" placeholder="Search the log" w={180} leftSection={<Icon name="search" size={14} />} value={search} onChange={(event) => setSearch(event.currentTarget.value)} />
            <Switch label="Follow" checked={follow} onChange={(event) => setFollow(event.currentTarget.checked)} />
          </span>
        </div>
      )}
      {query.error && !query.data && <ErrorPanel error={query.error} onRetry={() => void query.refetch()} />}
      {query.data && !silent && <LogText lines={lines} follow={follow} note={empty ? 'Nothing has been logged yet.' : query.data.truncated ? 'The beginning is no longer kept.' : null} />}
    </section>
  )
}

function LogText({ lines, follow, note }: { lines: string[]; follow: boolean; note: string | null }) {
  const end = useRef<HTMLPreElement>(null)
  useEffect(() => {
    if (follow && end.current) end.current.scrollTop = end.current.scrollHeight
  }, [lines, follow])
  return (
    <pre ref={end} className={classes.log} tabIndex={0} aria-label="Log of the run">
      {note && <span className={classes.note}>{note}</span>}
      {lines.map((line, i) => (
        <span key={i} className={classes.logLine} data-bad={/error|traceback|exception/i.test(line) || undefined}>
          {line || ' '}
        </span>
      ))}
    </pre>
  )
}
