import { useState, useSyncExternalStore } from 'react'

import { observed, type Observed } from '../lib/observed'

export function useObserved<T>(source: Observed<T>): T {
  return useSyncExternalStore(source.subscribe, source.get)
}

/** One of this component's own, for as long as it lives. */
export function useNewObserved<T>(initial: T): Observed<T> {
  return useState(() => observed(initial))[0]
}
