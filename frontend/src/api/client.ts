import createClient from 'openapi-fetch'

import type { paths } from './schema'
import type { ErrorBody, Fault } from './types'

export const api = createClient<paths>({ baseUrl: globalThis.location?.origin ?? '' })

/** An error the API answered with, or its absence: `status` 0 means that nothing answered. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly field: string | null
  readonly remedy: string | null
  readonly requestId: string | null
  /** what else is wrong with the same request */
  readonly others: readonly Fault[]

  constructor(status: number, body: Partial<ErrorBody>) {
    super(body.message ?? `The server answered ${status}.`)
    this.name = 'ApiError'
    this.status = status
    this.code = body.code ?? 'error'
    this.field = body.field ?? null
    this.remedy = body.remedy ?? null
    this.requestId = body.request_id ?? null
    this.others = body.others ?? []
  }
}

interface Answer<T> {
  data?: T
  error?: unknown
  response: Response
}

/** The answer's data; raises ApiError for an error answer and for a server that cannot be reached. */
export async function unwrap<T>(request: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await request.catch((cause: unknown) => {
    throw unreachable(cause)
  })
  if (response.ok) return data as T
  throw new ApiError(response.status, errorBody(error))
}

/** A body that openapi-fetch does not type: figures as JSON, raw depth. */
export async function fetchRaw(url: string, signal?: AbortSignal): Promise<Response> {
  const response = await fetch(url, { signal }).catch((cause: unknown) => {
    throw unreachable(cause)
  })
  if (response.ok) return response
  throw new ApiError(response.status, errorBody(await response.json().catch(() => undefined)))
}

function unreachable(cause: unknown): unknown {
  if (cause instanceof DOMException && cause.name === 'AbortError') return cause
  return new ApiError(0, { code: 'unreachable', message: 'The Depthboard server does not answer.', remedy: 'Start it with `make up`.' })
}

/** The API's own error shape, or the sentence a proxy or framework sent instead. */
export function errorBody(error: unknown): Partial<ErrorBody> {
  if (typeof error !== 'object' || error === null) return {}
  if ('error' in error && typeof error.error === 'object' && error.error !== null) return error.error as Partial<ErrorBody>
  return 'detail' in error && typeof error.detail === 'string' ? { message: error.detail } : {}
}
