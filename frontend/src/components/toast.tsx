import { notifications } from '@mantine/notifications'

import { ApiError } from '../api/client'

export function toast(message: string): void {
  notifications.show({ message, withBorder: true, autoClose: 5000, color: 'gray' })
}

/** Says what was done and offers to take it back, for ten seconds. */
export function toastUndo(message: string, undo: () => Promise<unknown>): void {
  const id = notifications.show({
    withBorder: true,
    autoClose: 10_000,
    color: 'gray',
    message: (
      <span className="spread">
        <span>{message}</span>
        <button
          type="button"
          className="link"
          onClick={() => {
            notifications.hide(id)
            void undo().catch(toastError)
          }}
        >
          Undo
        </button>
      </span>
    ),
  })
}

/** What went wrong, in the API's own sentence, with its remedy. */
export function toastError(error: unknown): void {
  const remedy = error instanceof ApiError ? error.remedy : null
  const message = error instanceof Error ? error.message : String(error)
  notifications.show({ title: message, message: remedy ?? '', withBorder: true, color: 'red', autoClose: 12_000 })
}
