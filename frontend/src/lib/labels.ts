/** Names written beside the lines they belong to, where they hide neither a line nor each other. */

export interface Point {
  x: number
  y: number
}
export interface LabelledLine {
  label: string
  /** in px, within the drawing or not */
  points: readonly Point[]
}
export interface Box {
  left: number
  top: number
  right: number
  bottom: number
}
export interface Placed extends Point {
  label: string
  anchor: 'start' | 'end'
}

const HEIGHT = 13
/** of 11 px Inter, a little generous */
const CHARACTER = 6.1
const OFFSET = 5
const TRIES = 24

/** A place for each label, the first lines choosing first; a line that leaves no room gets none. */
export function placeLabels(lines: readonly LabelledLine[], box: Box, taken: readonly Box[] = []): Placed[] {
  const full = [...taken]
  return lines.flatMap((line) => {
    const found = candidates(line, box)
      .map(({ at, area }) => ({ at, area, cost: price(area, line, lines, full, box) }))
      .toSorted((a, b) => a.cost - b.cost)[0]
    if (!found || found.cost >= BLOCKED) return []
    full.push(found.area)
    return [found.at]
  })
}

const BLOCKED = 1000

function price(area: Box, own: LabelledLine, lines: readonly LabelledLine[], full: readonly Box[], box: Box): number {
  if (full.some((other) => overlap(area, other))) return BLOCKED
  const hidden = lines.reduce((sum, line) => sum + line.points.filter((p) => inside(p, area)).length * (line === own ? 2 : 1), 0)
  // What lies far right is found first by the eye.
  return hidden * 6 + (4 * (box.right - area.right)) / (box.right - box.left)
}

function candidates(line: LabelledLine, box: Box): { at: Placed; area: Box }[] {
  const width = line.label.length * CHARACTER
  const visible = line.points.filter((p) => inside(p, box))
  const step = Math.max(1, Math.floor(visible.length / TRIES))
  return visible
    .filter((_, i) => i % step === 0)
    .flatMap((p) =>
      (['start', 'end'] as const).flatMap((anchor) =>
        [-OFFSET, HEIGHT + OFFSET - 3].map((dy) => {
          const x = p.x + (anchor === 'start' ? OFFSET : -OFFSET)
          const left = anchor === 'start' ? x : x - width
          const at: Placed = { label: line.label, x, y: p.y + dy, anchor }
          return { at, area: { left: left - 2, right: left + width + 2, top: at.y - HEIGHT + 2, bottom: at.y + 3 } }
        }),
      ),
    )
    .filter(({ area }) => area.left >= box.left && area.right <= box.right && area.top >= box.top && area.bottom <= box.bottom)
}

const inside = (p: Point, box: Box) => p.x >= box.left && p.x <= box.right && p.y >= box.top && p.y <= box.bottom
const overlap = (a: Box, b: Box) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom
