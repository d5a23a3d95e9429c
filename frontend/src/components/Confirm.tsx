import { Button, Modal } from '@mantine/core'
import { useState, type ReactNode } from 'react'

interface Props {
  title: string
  /** the button that goes through with it, e.g. “Delete experiment” */
  action: string
  children: ReactNode
  onConfirm: () => Promise<unknown>
  onClose: () => void
  opened: boolean
}

/** Asks before something that cannot be taken back, and says what goes. */
export function Confirm({ title, action, children, onConfirm, onClose, opened }: Props) {
  const [busy, setBusy] = useState(false)
  const confirm = async () => {
    setBusy(true)
    await onConfirm().finally(() => setBusy(false))
    onClose()
  }
  return (
    <Modal opened={opened} onClose={onClose} title={<b>{title}</b>} size="md" closeButtonProps={{ 'aria-label': 'Close' }}>
      {children}
      <div style={{ display: 'flex', justifyContent: 'flex-end', gap: 8, marginTop: 16 }}>
        <Button variant="default" onClick={onClose} data-autofocus>
          Keep it
        </Button>
        <Button color="red" loading={busy} onClick={() => void confirm()}>
          {action}
        </Button>
      </div>
    </Modal>
  )
}
