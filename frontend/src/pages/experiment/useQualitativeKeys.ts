import { useRef, type RefObject } from 'react'

import type { Cursor } from '../../components/depth/useZoom'
import { useKeys } from '../../components/useKeys'
import { sideText } from '../../lib/qualitative'
import { useExperimentSearch } from './useExperimentSearch'
import type { Viewed } from './useQualitative'

export const BLINK = 'depthboard-blink'

/** Keys of the viewer: a b choose, s swipes, Space blinks, [ ] change the image, f fills the screen, Esc goes back. */
export function useQualitativeKeys({ grid }: Viewed, cursor: Cursor | null, opened: number, root: RefObject<HTMLElement | null>) {
  const [search, change] = useExperimentSearch()
  // The handlers may be those of the drawing before: what is under the cursor they read here.
  const latest = useRef({ grid, cursor })
  latest.current = { grid, cursor }
  const row = () => (opened >= 0 ? opened : (latest.current.cursor?.row ?? 0))
  const open = (index: number, mode?: string) => change({ row: latest.current.grid.rows[index]?.frame.id, mode }, true)
  const side = (name: 'a' | 'b') => {
    const column = latest.current.cursor?.column
    if (column !== undefined) change({ [name]: sideText(column, grid.columns) }, true)
  }
  const step = (by: number) => {
    if (opened >= 0) open(Math.min(grid.rows.length - 1, Math.max(0, opened + by)), search.mode as string | undefined)
  }
  useKeys('qualitative', {
    a: () => side('a'),
    b: () => side('b'),
    swipe: () => open(row(), search.mode === 'swipe' && opened >= 0 ? undefined : 'swipe'),
    blink: () => (opened >= 0 && search.mode === 'blink' ? window.dispatchEvent(new Event(BLINK)) : open(row(), 'blink')),
    before: () => step(-1),
    after: () => step(1),
    full: () => {
      if (document.fullscreenElement) return void document.exitFullscreen()
      if (opened < 0) open(row())
      void root.current?.requestFullscreen?.()
    },
    back: () => {
      if (opened >= 0) change({ row: undefined, mode: undefined }, true)
      else if (search.line !== undefined) change({ line: undefined, on: undefined }, true)
    },
  })
}
