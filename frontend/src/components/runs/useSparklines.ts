import { useQueries } from '@tanstack/react-query'
import { useMemo, useRef } from 'react'

import { sparklinesQuery } from '../../api/queries'
import { sparkRange, type Spark } from '../../lib/runTable'
import type { RunRows } from './useRunPages'

/** Rows whose lines are fetched at once: blocks begin at fixed places, so that scrolling by one row asks for nothing new. */
const BLOCK = 40

/** The lines of the rows from `from` to `to`; every line that ever came counts for the range they share. */
export function useSparklines(rows: RunRows, from: number, to: number, metric: string, averaging: string | undefined, wanted: boolean) {
  const blocks = wanted && rows.total > 0 ? blocksOf(rows, from, to) : []
  const found = useQueries({ queries: blocks.map((block) => sparklinesQuery(block, metric, averaging)) })
  const known = useRef<{ key: string; lines: Map<number, Spark> }>(undefined)
  const key = `${metric} ${averaging}`
  if (known.current?.key !== key) known.current = { key, lines: new Map() }
  const lines = known.current.lines
  for (const { data } of found) for (const line of data ?? []) lines.set(line.run_id, line)
  const stamp = found.map((one) => one.dataUpdatedAt).join()
  const range = useMemo(() => sparkRange([...lines.values()]), [lines, stamp])
  return { lines, range }
}

function blocksOf(rows: RunRows, from: number, to: number): number[][] {
  const blocks: number[][] = []
  for (let block = Math.floor(from / BLOCK); block <= Math.floor(to / BLOCK); block++) {
    const ids = Array.from({ length: BLOCK }, (_, i) => rows.row(block * BLOCK + i)?.id).filter((id) => id !== undefined)
    if (ids.length > 0) blocks.push(ids)
  }
  return blocks
}
