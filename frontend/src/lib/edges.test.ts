import { readFileSync } from 'node:fs'

import { expect, it } from 'vitest'

import { edges } from './edges'

it('finds the edges that Python finds', () => {
  const shared = JSON.parse(readFileSync(new URL('../../../tests/fixtures/depth_reading.json', import.meta.url), 'utf8'))
  expect([...edges({ width: shared.width, height: shared.height, values: Uint16Array.from(shared.truth) })]).toEqual(shared.edges)
})

it('marks the near side of a step, and no plane however steep it is', () => {
  const row = (values: number[]) => [...edges({ width: values.length, height: 1, values: Uint16Array.from(values) })]
  expect(row([2000, 2000, 3000, 3000])).toEqual([0, 1, 0, 0])
  expect(row([0.5, 0.4, 0.3, 0.2, 0.1].map((inverse) => 1000 / inverse))).toEqual([0, 0, 0, 0, 0])
  expect(row([2000, 2000, 0, 3000])).toEqual([0, 0, 0, 0])
})
