import { useState, type FocusEvent, type MouseEvent } from 'react'

import classes from './CompletenessGrid.module.css'

interface Tip {
  text: string
  left: number
  top: number
}

/** One tip for thousands of marks: over the one under the mouse, in the words that a screen reader hears. */
export function useGridTip() {
  const [tip, setTip] = useState<Tip | null>(null)
  const show = (event: MouseEvent<HTMLElement> | FocusEvent<HTMLElement>) => {
    const mark = (event.target as Element).closest?.<HTMLElement>('[data-row]')
    const text = mark?.getAttribute('aria-label')
    if (!mark || !text) return setTip(null)
    const [frame, box] = [event.currentTarget.getBoundingClientRect(), mark.getBoundingClientRect()]
    const half = Math.min(frame.width, 7 * text.length) / 2
    const middle = box.left + box.width / 2 - frame.left
    setTip({ text, left: Math.min(Math.max(middle, half), Math.max(half, frame.width - half)), top: box.top - frame.top - 4 })
  }
  return {
    handlers: { onMouseOver: show, onMouseLeave: () => setTip(null), onFocus: show, onBlur: () => setTip(null) },
    shown: tip && (
      <div className={classes.tip} style={{ left: tip.left, top: tip.top }} aria-hidden>
        {tip.text}
      </div>
    ),
  }
}
