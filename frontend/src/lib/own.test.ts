import { expect, test } from 'vitest'

import { flatten } from './configuration'
import { own } from './own'
import { settingTitle } from './schema'

test('a name that every object answers to is no entry of a table', () => {
  expect(own({ a: 1 }, 'a')).toBe(1)
  expect(['constructor', '__proto__', 'toString'].map((name) => own({ a: 1 }, name))).toEqual([undefined, undefined, undefined])
})

test('parameters of such names are shown like others', () => {
  const settings = flatten(JSON.parse('{"__proto__": "x", "constructor": 1}') as Record<string, unknown>)
  expect(settings.map(([path]) => settingTitle(path))).toEqual(['  proto  ', 'constructor'])
})
