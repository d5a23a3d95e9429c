import { useEffect, useRef, useSyncExternalStore } from 'react'

import type { IconName } from './icons'

/** Something that can be done on the page that is open; the palette offers it. */
export interface Action {
  label: string
  icon: IconName
  run: () => void
  words?: string
}

let offered: readonly (readonly Action[])[] = []
const listeners = new Set<() => void>()

function set(next: readonly (readonly Action[])[]): void {
  offered = next
  for (const listener of listeners) listener()
}

/** Offers actions in the palette while the component is shown; a list made anew at every render is taken for the same while its labels are. */
export function useActions(actions: readonly Action[]): void {
  const latest = useRef(actions)
  useEffect(() => {
    latest.current = actions
  })
  const labels = actions.map((action) => action.label).join('\n')
  useEffect(() => {
    const mine = latest.current.map((action, i) => ({ ...action, run: () => latest.current[i]?.run() }))
    set([...offered, mine])
    return () => set(offered.filter((other) => other !== mine))
  }, [labels])
}

const subscribe = (listener: () => void) => {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export function useOfferedActions(): Action[] {
  return useSyncExternalStore(subscribe, () => offered).flat()
}
