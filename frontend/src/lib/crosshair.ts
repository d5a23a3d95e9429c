/** Where the crosshair stands in each panel. Its place is one number: a share of the training. */

import type { PanelBox } from './figure'

/** At equal share of each panel's training, or at equal training images (equal time on an axis of time). */
export type Align = 'share' | 'images'

export interface PanelEnd {
  axis: string
  /** the end of its axis, in its own units */
  end: number
  /** training images for each unit */
  images: number
}

export interface Stand {
  x: number
  /** the panel ends before */
  ended: boolean
}

const lengthOf = (panel: PanelEnd) => panel.end * panel.images

/** `at` is a share of each panel's own training, or of the longest one's. */
export function standAt(panel: PanelEnd, at: number, align: Align, panels: readonly PanelEnd[]): Stand {
  if (align === 'share') return { x: at * panel.end, ended: false }
  const images = at * Math.max(...panels.map(lengthOf))
  const ended = images > lengthOf(panel) * (1 + 1e-9)
  return { x: ended ? panel.end : images / panel.images, ended }
}

/** The crosshair's place when it stands at `x` of this panel. */
export function placeOf(panel: PanelEnd, x: number, align: Align, panels: readonly PanelEnd[]): number {
  const whole = align === 'share' ? lengthOf(panel) : Math.max(...panels.map(lengthOf))
  return Math.min(1, Math.max(0, (x * panel.images) / whole))
}

/** Pixels from the chart's left edge; null where `x` is not in view. */
export function pixelOf(box: PanelBox, x: number): number | null {
  const value = box.log ? Math.log10(x) : x
  const [low, high] = box.range
  if (!Number.isFinite(value) || value < low || value > high * (1 + 1e-9) + 1e-12) return null
  return box.left + (box.width * (value - low)) / (high - low)
}

export function valueAt(box: PanelBox, pixel: number): number {
  const value = box.range[0] + ((pixel - box.left) / box.width) * (box.range[1] - box.range[0])
  return box.log ? 10 ** value : value
}

/** Pixels from the chart's top; null where `y` is not in view. */
export function heightOfValue(box: PanelBox, y: number): number | null {
  const value = box.yLog ? Math.log10(y) : y
  const [low, high] = box.yRange
  const share = (value - low) / (high - low)
  return Number.isFinite(share) && share >= 0 && share <= 1 ? box.top + box.height * (1 - share) : null
}
