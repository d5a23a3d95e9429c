import { readFileSync } from 'node:fs'

import { expect, it } from 'vitest'

import { edges } from './edges'

it('finds the edges that Python finds', () => {
  const shared = JSON.parse(readFileSync(new URL('../../../tests/fixtures/depth_reading.json', import.meta.url), 'utf8'))
  expect([...edges({ width: shared.width, height: shared.height, values: Uint16Array.from(shared.truth) })]).toEqual(shared.edges)
})

it('finds none in a map that is too small to have a neighbourhood', () => {
  expect([...edges({ width: 2, height: 2, values: Uint16Array.from([1, 9000, 1, 9000]) })]).toEqual([0, 0, 0, 0])
})
