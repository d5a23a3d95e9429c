import { useCallback, useEffect, useRef, useState, type RefObject } from 'react'

import type { Line } from '../../lib/line'
import { imagePoint, pan, parseView, viewText, WHOLE, zoomAt, type View } from '../../lib/zoom'

export interface Cursor {
  /** row of tiles */
  row: number
  /** of a run, −1 of the ground truth; none over the photograph */
  column?: number
  /** shares of the image's width and height */
  u: number
  v: number
}

interface Options {
  /** as the address keeps it */
  text: unknown
  onText: (text: string | undefined) => void
  onCursor: (cursor: Cursor | null) => void
  onPin: (cursor: Cursor) => void
  /** while a line is drawn with Shift held, and once more when it is done */
  onLine?: (row: number, line: Line, done: boolean) => void
}

interface Place {
  row: number
  column?: number
  u: number
  v: number
  width: number
  height: number
}

/** The tile under a pointer and where in it, in shares of the tile. */
function placeOf(event: PointerEvent | WheelEvent | MouseEvent): Place | null {
  const tile = (event.target as HTMLElement).closest<HTMLElement>('[data-tile]')
  const row = tile?.closest<HTMLElement>('[data-tile-row]')
  if (!tile || !row) return null
  const box = tile.getBoundingClientRect()
  const column = tile.closest<HTMLElement>('[data-column]')?.dataset.column
  return { row: Number(row.dataset.tileRow), column: column === undefined ? undefined : Number(column), u: (event.clientX - box.left) / box.width, v: (event.clientY - box.top) / box.height, width: box.width, height: box.height }
}

/** Wheel zooms and drag pans every tile under `root` at once, by CSS variables: no tile is drawn again for it. */
export function useZoom(root: RefObject<HTMLElement | null>, options: Options) {
  const view = useRef<View>(parseView(options.text))
  const [zoomed, setZoomed] = useState(view.current.scale > 1)
  const latest = useRef(options)
  latest.current = options

  const show = useCallback(
    (next: View) => {
      view.current = next
      const style = root.current?.style
      style?.setProperty('--tile-scale', String(next.scale))
      style?.setProperty('--tile-x', String(next.x))
      style?.setProperty('--tile-y', String(next.y))
      // Interpolated colours belong to no depth: once single pixels can be told apart they are drawn as they are.
      style?.setProperty('--tile-rendering', next.scale > 2 ? 'pixelated' : 'auto')
      setZoomed(next.scale > 1)
    },
    [root],
  )

  useEffect(() => {
    const text = viewText(view.current)
    if (text !== options.text) show(parseView(options.text))
  }, [options.text, show])

  useEffect(() => {
    const element = root.current
    if (!element) return
    show(view.current)
    return listen(element, view, show, latest)
  }, [root, show])

  return { zoomed, reset: () => (show(WHOLE), latest.current.onText(undefined)) }
}

function lineBetween(a: Cursor, b: Cursor): Line {
  const inside = (share: number) => Math.min(1, Math.max(0, share))
  return { au: inside(a.u), av: inside(a.v), bu: inside(b.u), bv: inside(b.v) }
}

function listen(element: HTMLElement, view: RefObject<View>, show: (view: View) => void, latest: RefObject<Options>) {
  let timer: ReturnType<typeof setTimeout>
  let drag: { x: number; y: number; moved: number } | null = null
  let start: Cursor | null = null
  const cursorAt = (place: Place): Cursor => ({ row: place.row, column: place.column, ...imagePoint(view.current, place.u, place.v) })
  const draw = (place: Place | null, done: boolean) => {
    if (start && place?.row === start.row) latest.current.onLine?.(start.row, lineBetween(start, cursorAt(place)), done)
    if (done) start = null
  }
  const remember = () => {
    clearTimeout(timer)
    timer = setTimeout(() => latest.current.onText(viewText(view.current)), 300)
  }
  const wheel = (event: WheelEvent) => {
    const place = placeOf(event)
    if (!place || event.ctrlKey) return
    const next = zoomAt(view.current, Math.exp(-event.deltaY / 400), place.u, place.v)
    // At the whole image a turn outwards scrolls the page.
    if (next.scale === view.current.scale) return
    event.preventDefault()
    show(next)
    remember()
  }
  const move = (event: PointerEvent) => {
    const place = placeOf(event)
    if (start) draw(place, false)
    if (drag && event.buttons === 1 && place) {
      show(pan(view.current, (event.clientX - drag.x) / place.width, (event.clientY - drag.y) / place.height))
      drag = { x: event.clientX, y: event.clientY, moved: drag.moved + Math.abs(event.movementX) + Math.abs(event.movementY) }
      remember()
    }
    latest.current.onCursor(place && cursorAt(place))
  }
  const down = (event: PointerEvent) => {
    const place = placeOf(event)
    start = place && event.shiftKey && latest.current.onLine ? cursorAt(place) : null
    drag = place && !start ? { x: event.clientX, y: event.clientY, moved: 0 } : null
  }
  const up = (event: PointerEvent) => {
    const place = placeOf(event)
    if (start) return draw(place, true)
    if (drag && drag.moved < 4 && place) latest.current.onPin(cursorAt(place))
    drag = null
  }
  const double = (event: MouseEvent) => {
    if (!placeOf(event)) return
    show(WHOLE)
    remember()
  }
  const leave = () => latest.current.onCursor(null)
  element.addEventListener('wheel', wheel, { passive: false })
  element.addEventListener('pointermove', move)
  element.addEventListener('pointerdown', down)
  element.addEventListener('pointerup', up)
  element.addEventListener('dblclick', double)
  element.addEventListener('pointerleave', leave)
  return () => {
    clearTimeout(timer)
    element.removeEventListener('wheel', wheel)
    element.removeEventListener('pointermove', move)
    element.removeEventListener('pointerdown', down)
    element.removeEventListener('pointerup', up)
    element.removeEventListener('dblclick', double)
    element.removeEventListener('pointerleave', leave)
  }
}
