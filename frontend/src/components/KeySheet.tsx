import { Modal } from '@mantine/core'
import { useDisclosure, useWindowEvent } from '@mantine/hooks'

import classes from './KeySheet.module.css'

const KEYS: [string, string][] = [
  ['Ctrl K', 'find an experiment or a page'],
  ['/', 'filter the list'],
  ['← →', 'evaluation of the depth maps; crosshair of the value table'],
  ['↑ ↓ ← →', 'walk over the completeness grid, Enter selects'],
  ['j k', 'walk over the runs, Enter opens'],
  ['wheel, drag', 'zoom and move all depth maps; a double click shows them whole'],
  ['a b', 'the loss under the cursor is one of the two compared'],
  ['s Space f', 'swipe, blink, fill the screen with the two'],
  ['[ ]', 'image before, image after'],
  ['Shift drag', 'line along which depth is drawn'],
  ['?', 'this list'],
]

/** The keys there are, on `?`; never while someone types. */
export function KeySheet() {
  const [opened, { open, close }] = useDisclosure(false)
  useWindowEvent('keydown', (event) => {
    const typing = (event.target as HTMLElement).closest('input, textarea, select, [contenteditable]')
    if (event.key === '?' && !typing) open()
  })
  if (!opened) return null
  return (
    <Modal opened onClose={close} title={<b>Keys</b>} closeButtonProps={{ 'aria-label': 'Close' }}>
      <dl className={classes.keys}>
        {KEYS.map(([key, words]) => (
          <div key={words}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
    </Modal>
  )
}
