import { useEffect, useRef, type RefObject } from 'react'

import type { Cursor } from '../../components/depth/useZoom'
import { sideText } from '../../lib/qualitative'
import { useExperimentSearch } from './useExperimentSearch'
import type { Viewed } from './useQualitative'

export const BLINK = 'depthboard-blink'

/** Keys of the viewer: a b choose, s swipes, Space blinks, [ ] change the image, f fills the screen, Esc goes back. */
export function useQualitativeKeys({ grid }: Viewed, cursor: Cursor | null, opened: number, root: RefObject<HTMLElement | null>) {
  const [search, change] = useExperimentSearch()
  const row = opened >= 0 ? opened : (cursor?.row ?? 0)
  const open = (index: number, mode?: string) => change({ row: grid.rows[index]?.frame.id, mode }, true)
  const side = (name: 'a' | 'b') => {
    if (cursor?.column !== undefined) change({ [name]: sideText(cursor.column, grid.columns) }, true)
  }
  const step = (by: number) => {
    if (opened >= 0) open(Math.min(grid.rows.length - 1, Math.max(0, opened + by)), search.mode as string | undefined)
  }
  const keys: Record<string, () => void> = {
    a: () => side('a'),
    b: () => side('b'),
    s: () => open(row, search.mode === 'swipe' && opened >= 0 ? undefined : 'swipe'),
    ' ': () => (opened >= 0 && search.mode === 'blink' ? window.dispatchEvent(new Event(BLINK)) : open(row, 'blink')),
    '[': () => step(-1),
    ']': () => step(1),
    f: () => (document.fullscreenElement ? void document.exitFullscreen() : (opened < 0 && open(row), void root.current?.requestFullscreen?.())),
    Escape: () => {
      if (opened >= 0) change({ row: undefined, mode: undefined }, true)
      else if (search.line !== undefined) change({ line: undefined, on: undefined }, true)
    },
  }
  const latest = useRef(keys)
  latest.current = keys

  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement
      if (event.ctrlKey || event.metaKey || event.altKey || target.closest('input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable], [role=dialog], [role=listbox]')) return
      // Space presses what has the focus.
      if (event.key === ' ' && target.closest('button, a, input, [role=slider]')) return
      const action = latest.current[event.key]
      if (!action) return
      if (event.key !== 'Escape') event.preventDefault()
      action()
    }
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  }, [])
}
