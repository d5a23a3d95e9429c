import { useQueryClient } from '@tanstack/react-query'
import { createContext, useContext, useEffect, useMemo, useSyncExternalStore, type ReactNode } from 'react'

import { LiveCache } from '../api/liveCache'
import { SharedLive } from '../api/liveShare'
import { useNow } from './useNow'
import { duration } from '../lib/format'
import { Icon } from './icons'
import classes from './Live.module.css'

const LiveContext = createContext<SharedLive | null>(null)

/** Keeps the event stream open and writes what it says into the cache. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient()
  const connection = useMemo(() => {
    const cache = new LiveCache(client)
    return new SharedLive('/api/events', {
      onEvent: (event) => cache.apply(event),
      onReopen: () => void client.invalidateQueries({ predicate: (query) => query.queryKey[0] !== 'depth' }),
    })
  }, [client])

  useEffect(() => {
    connection.start()
    // A stream left open keeps a leaving page's connection busy while the next one loads; Back may bring the page to life again.
    const stop = () => connection.stop()
    const resume = (event: PageTransitionEvent) => event.persisted && connection.start()
    addEventListener('pagehide', stop)
    addEventListener('pageshow', resume)
    return () => {
      removeEventListener('pagehide', stop)
      removeEventListener('pageshow', resume)
      stop()
    }
  }, [connection])

  return <LiveContext value={connection}>{children}</LiveContext>
}

/** A bar while the stream is cut: the data stays, at full strength. */
export function ConnectionBar() {
  const connection = useContext(LiveContext)!
  const { status, since, retryAt } = useSyncExternalStore(connection.subscribe, connection.snapshot)
  const now = useNow(status === 'lost')
  if (status !== 'lost') return null
  return (
    <div className={classes.bar} role="status">
      <Icon name="warning" />
      <span>
        <b>Connection lost {duration((now - since) / 1000)} ago.</b> Showing data from {new Date(since).toLocaleTimeString('en-GB')}, {again(retryAt, now)}.
      </span>
      <button type="button" className="link" onClick={() => connection.retryNow()}>
        Try now
      </button>
    </div>
  )
}

function again(at: number | undefined, now: number): string {
  const seconds = at === undefined ? 0 : Math.ceil((at - now) / 1000)
  return seconds > 0 ? `trying again in ${seconds} s` : 'trying again'
}
