/** What this browser keeps of a form: the draft that was not launched, and what was launched last. */

import type { Spec } from '../../api/types'
import { isRecord } from '../../lib/spec'

const DRAFT = 'depthboard.draft'
const LAST = 'depthboard.last'

export interface Kept {
  spec: Spec
  /** what it was begun from: a preset, an experiment, a loss, or nothing */
  origin: string
  at: number
}

/** Returns when; a browser that keeps nothing keeps no draft. */
export function keepDraft(spec: Spec, origin: string): number | null {
  const at = Date.now()
  return write(DRAFT, { spec, origin, at }) ? at : null
}

export function readDraft(): Kept | null {
  const kept = read(DRAFT)
  return kept && isRecord(kept.spec) && typeof kept.origin === 'string' && typeof kept.at === 'number' ? (kept as unknown as Kept) : null
}

export function dropDraft() {
  try {
    localStorage.removeItem(DRAFT)
  } catch {
    // Without storage there is no draft to drop.
  }
}

export function keepLast(spec: Spec) {
  write(LAST, { spec })
}

export function readLast(): Spec | null {
  const kept = read(LAST)
  return kept && isRecord(kept.spec) ? kept.spec : null
}

function write(key: string, value: unknown): boolean {
  try {
    localStorage.setItem(key, JSON.stringify(value))
    return true
  } catch {
    return false
  }
}

function read(key: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(key) ?? 'null')
    return isRecord(value) ? value : null
  } catch {
    return null
  }
}
