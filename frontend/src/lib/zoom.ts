/** One view for all tiles: an image point p (share of width or height) is drawn at p · scale + offset of its tile. */

export interface View {
  scale: number
  x: number
  y: number
}

export const WHOLE: View = { scale: 1, x: 0, y: 0 }
const MOST = 16

/** Zooms by `factor` with the point (u, v) of the tile held still; never further out than the whole image. */
export function zoomAt(view: View, factor: number, u: number, v: number): View {
  const scale = Math.min(MOST, Math.max(1, view.scale * factor))
  const ratio = scale / view.scale
  return keepInside({ scale, x: u - (u - view.x) * ratio, y: v - (v - view.y) * ratio })
}

/** Moves by shares of the tile. */
export function pan(view: View, du: number, dv: number): View {
  return keepInside({ ...view, x: view.x + du, y: view.y + dv })
}

/** The image point under the tile's point. */
export function imagePoint(view: View, u: number, v: number): { u: number; v: number } {
  return { u: (u - view.x) / view.scale, v: (v - view.y) / view.scale }
}

export function tilePoint(view: View, u: number, v: number): { u: number; v: number } {
  return { u: u * view.scale + view.x, v: v * view.scale + view.y }
}

function keepInside(view: View): View {
  const inside = (offset: number) => Math.min(0, Math.max(1 - view.scale, offset))
  return { scale: view.scale, x: inside(view.x), y: inside(view.y) }
}

/** As the address keeps it: `2.5,-0.31,-0.1`; undefined for the whole image. */
export function viewText(view: View): string | undefined {
  if (view.scale === 1) return undefined
  return [view.scale, view.x, view.y].map((n) => Number(n.toFixed(3))).join(',')
}

export function parseView(text: unknown): View {
  const parts = typeof text === 'string' ? text.split(',').map(Number) : []
  if (parts.length !== 3 || parts.some((n) => !Number.isFinite(n)) || parts[0]! < 1 || parts[0]! > MOST) return WHOLE
  return keepInside({ scale: parts[0]!, x: parts[1]!, y: parts[2]! })
}
