/** What “Find anything” shows for what is typed. */

export interface Findable {
  label: string
  hint: string
  /** also found by these */
  words?: string
}

/** Entries in which every word is found, those that begin with the first one on top; otherwise in the order given. */
export function findEntries<T extends Findable>(entries: readonly T[], query: string, most = 12): T[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return entries.slice(0, most)
  const rank = (entry: T): number => {
    const label = entry.label.toLowerCase()
    const all = `${label} ${entry.hint.toLowerCase()} ${entry.words?.toLowerCase() ?? ''}`
    if (!words.every((word) => all.includes(word))) return 3
    return label.startsWith(words[0]!) ? 0 : words.every((word) => label.includes(word)) ? 1 : 2
  }
  const found = entries.map((entry, i) => ({ entry, i, rank: rank(entry) })).filter((one) => one.rank < 3)
  return found.toSorted((a, b) => a.rank - b.rank || a.i - b.i).map((one) => one.entry).slice(0, most)
}

/** `12`, `#12`, `run 12` -> 12 */
export function runNumber(query: string): number | null {
  const found = /^\s*(?:run\s+)?#?(\d{1,15})\s*$/i.exec(query)
  return found ? Number(found[1]) : null
}
