import { useEffect, useRef, useSyncExternalStore } from 'react'

import { isTyping, KEYS, ownsEnter, pressedName, type Key, type KeyName, type ScopeName } from '../lib/keys'

export type Handlers<S extends ScopeName> = { [K in KeyName<S>]?: (event: KeyboardEvent) => void }

const SEQUENCE_MS = 800
/** The key with which sequences begin: what follows it is no key of its own. */
const LEADER = 'g'
/** The key before the one that is being heard, and that one. */
let before = { key: '', at: 0 }
let latestKey = before
let mounted: readonly ScopeName[] = []
const listeners = new Set<() => void>()

function mount(scope: ScopeName): () => void {
  const set = (next: readonly ScopeName[]) => {
    mounted = next
    for (const listener of listeners) listener()
  }
  set([...mounted, scope])
  return () => {
    const i = mounted.indexOf(scope)
    set(mounted.filter((_, j) => j !== i))
  }
}

const subscribe = (listener: () => void) => {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** The scopes of what is on the screen now, which the sheet shows first. */
export function useScopes(): readonly ScopeName[] {
  return useSyncExternalStore(subscribe, () => mounted)
}

/** Binds keys of the table in lib/keys.ts while the component is shown; never while someone types. A component that binds its keys itself passes no handlers. */
export function useKeys<S extends ScopeName>(scope: S, handlers: Handlers<S> = {}): void {
  const latest = useRef(handlers)
  useEffect(() => {
    latest.current = handlers
  })
  useEffect(() => mount(scope), [scope])
  useEffect(() => {
    const entries = Object.entries(KEYS[scope].keys) as [KeyName<S>, Key][]
    const onKey = (event: KeyboardEvent) => {
      const name = pressedName(event)
      if (event.defaultPrevented || (theirs.has(event) && !(name === 'Ctrl K' || name === 'Ctrl S'))) return
      if ((name === 'Enter' || name === 'Space') && ownsEnter(event.target)) return
      const pressed = before.key === LEADER && latestKey.at - before.at < SEQUENCE_MS ? `${LEADER} ${name}` : name
      const found = entries.find(([action, key]) => latest.current[action] && !key.own && key.keys.includes(pressed))
      if (!found) return
      event.preventDefault()
      latest.current[found[0]]?.(event)
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [scope])
}

/** Keys pressed where someone types, or in what was open then: Escape has closed it before any listener asks. */
const theirs = new WeakSet<Event>()

/** Whether a key is the page's, for a component that binds its keys itself. */
export function isForPage(event: KeyboardEvent): boolean {
  return !event.defaultPrevented && !theirs.has(event)
}

function note(event: KeyboardEvent): void {
  if (isTyping(event.target)) theirs.add(event)
  before = latestKey
  latestKey = { key: theirs.has(event) ? '' : pressedName(event), at: event.timeStamp }
}

// In the capture phase, so that it is noted before any listener asks.
if (typeof window !== 'undefined') addEventListener('keydown', note, true)
