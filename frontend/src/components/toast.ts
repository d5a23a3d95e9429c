import { notifications } from '@mantine/notifications'

import { ApiError } from '../api/client'

export function toast(message: string): void {
  notifications.show({ message, withBorder: true, autoClose: 5000, color: 'gray' })
}

/** What went wrong, in the API's own sentence, with its remedy. */
export function toastError(error: unknown): void {
  const remedy = error instanceof ApiError ? error.remedy : null
  const message = error instanceof Error ? error.message : String(error)
  notifications.show({ title: message, message: remedy ?? '', withBorder: true, color: 'red', autoClose: 12_000 })
}
