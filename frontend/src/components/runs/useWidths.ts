import { useLocalStorage } from '@mantine/hooks'
import { useCallback } from 'react'

import { widthWithin } from '../../lib/runTable'
import type { RunColumn } from './runColumns'

/** Widths that a person gave to columns, kept by this browser. */
export function useWidths() {
  const [widths, setWidths] = useLocalStorage<Record<string, number>>({ key: 'depthboard-run-columns', defaultValue: {}, getInitialValueInEffect: false })
  const width = useCallback((column: RunColumn) => widthWithin(widths[column.id] ?? column.width), [widths])
  const setWidth = (id: string, next: number) => setWidths((before) => ({ ...before, [id]: next }))
  return { width, setWidth }
}
