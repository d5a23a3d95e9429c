import { describe, expect, it } from 'vitest'

import { draftKey, keepDraft, readDraft } from './drafts'

function memory(): Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> {
  const held = new Map<string, string>()
  return { getItem: (key) => held.get(key) ?? null, setItem: (key, value) => void held.set(key, value), removeItem: (key) => void held.delete(key) }
}

describe('drafts', () => {
  it('come back as they were kept, and go when they are saved', () => {
    const store = memory()
    expect(keepDraft(store, 'a', { text: '<b>', version: 2 })).toBe(true)
    expect(readDraft(store, 'a')).toEqual({ text: '<b>', version: 2 })
    keepDraft(store, 'a', null)
    expect(readDraft(store, 'a')).toBeNull()
  })

  it('are none where something else is kept, or nothing can be', () => {
    const store = memory()
    store.setItem('a', '{"text": 3}')
    store.setItem('b', 'no json')
    expect(readDraft(store, 'a')).toBeNull()
    expect(readDraft(store, 'b')).toBeNull()
    const full = { ...memory(), setItem: () => { throw new Error('full') } }
    expect(keepDraft(full, 'a', { text: 'x', version: 0 })).toBe(false)
  })

  it('belong to one experiment of one database', () => {
    expect(draftKey({ id: 1, created_at: 'a' })).not.toBe(draftKey({ id: 1, created_at: 'b' }))
  })
})
