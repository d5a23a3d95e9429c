/** What someone has typed and not saved yet: it stays in this browser until it is saved or thrown away. */

export interface Draft {
  text: string
  /** of the notes that it was begun upon */
  version: number
}

type Store = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>

/** A database that begins anew counts from 1 again: the time of making tells its experiments apart. */
export function draftKey(experiment: { id: number; created_at: string }): string {
  return `depthboard.notes.${experiment.id}.${experiment.created_at}`
}

export function readDraft(store: Store, key: string): Draft | null {
  try {
    const found = JSON.parse(store.getItem(key) ?? 'null') as Partial<Draft> | null
    return typeof found?.text === 'string' && typeof found.version === 'number' ? { text: found.text, version: found.version } : null
  } catch {
    return null
  }
}

/** False where the browser keeps nothing: a private window, or no room. */
export function keepDraft(store: Store, key: string, draft: Draft | null): boolean {
  try {
    if (draft) store.setItem(key, JSON.stringify(draft))
    else store.removeItem(key)
    return true
  } catch {
    return false
  }
}
