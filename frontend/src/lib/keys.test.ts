import { describe, expect, it } from 'vitest'

import { KEYS, pressedName, type Key } from './keys'

const press = (key: string, held: Partial<Record<'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey', boolean>> = {}) =>
  pressedName({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...held })

describe('keys', () => {
  it.each([
    ['j', {}, 'j'],
    ['?', { shiftKey: true }, '?'],
    ['k', { ctrlKey: true }, 'Ctrl K'],
    ['k', { metaKey: true }, 'Ctrl K'],
    ['ArrowLeft', { shiftKey: true }, 'Shift ←'],
    ['ArrowUp', { altKey: true }, 'Alt ↑'],
    [' ', {}, 'Space'],
    ['J', { shiftKey: true }, 'J'],
    ['z', { ctrlKey: true, shiftKey: true }, 'Ctrl Shift Z'],
  ])('writes %j with %j as %s', (key, held, name) => expect(press(key, held)).toBe(name))

  it.each(Object.entries(KEYS))('has no key twice in %s', (_, scope) => {
    const keys = (Object.values(scope.keys) as Key[]).flatMap((key) => key.keys)
    expect(new Set(keys).size).toBe(keys.length)
  })

  it.each(Object.entries(KEYS).filter(([name]) => name !== 'everywhere'))('takes no key away from everywhere in %s', (_, scope) => {
    const everywhere = (Object.values(KEYS.everywhere.keys) as Key[]).flatMap((key) => key.keys)
    const keys = (Object.values(scope.keys) as Key[]).flatMap((key) => key.keys)
    expect(keys.filter((key) => everywhere.includes(key) || key === 'g')).toEqual([])
  })
})
