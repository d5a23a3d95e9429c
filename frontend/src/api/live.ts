/** The event stream: it is kept open, and what it says is passed on. */

import type { LiveEvent } from './types'

export const KINDS: LiveEvent['kind'][] = ['run', 'points', 'evaluation', 'prediction', 'log', 'experiment', 'worker', 'dataset']

export interface LiveState {
  status: 'connecting' | 'open' | 'lost'
  /** milliseconds since the epoch of the last change of status */
  since: number
  /** of a lost one: when it is tried again */
  retryAt?: number
}

interface Handlers {
  onEvent: (event: LiveEvent) => void
  /** The stream is back after a gap: events may have been missed. */
  onReopen: () => void
}

const RETRY_MS = [1000, 2000, 5000, 10_000]
/** After how long Chromium opens a cut stream again by itself; it does not say. */
const BROWSER_RETRY_MS = 3000

export class LiveConnection {
  private source: EventSource | null = null
  private timer: ReturnType<typeof setTimeout> | undefined
  private failures = 0
  /** Whether events may have passed unseen before the next `open`. */
  private behind = false
  private state: LiveState = { status: 'connecting', since: Date.now() }
  private readonly listeners = new Set<() => void>()

  constructor(
    private readonly url: string,
    private readonly handlers: Handlers,
  ) {}

  /** `behind`: others read the stream before, and events may have passed since. */
  start(behind = false): void {
    this.behind ||= behind
    this.stop()
    const source = new EventSource(this.url)
    this.source = source
    source.addEventListener('open', () => this.opened())
    source.addEventListener('error', () => this.failed(source))
    // Some of what happened is no longer to be had: everything shown is read again.
    source.addEventListener('resync', () => this.handlers.onReopen())
    for (const kind of KINDS) source.addEventListener(kind, (message) => this.received(message as MessageEvent<string>))
  }

  stop(): void {
    clearTimeout(this.timer)
    this.source?.close()
    this.source = null
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  snapshot = (): LiveState => this.state

  private opened(): void {
    const missed = this.behind
    this.behind = true
    this.failures = 0
    this.move('open')
    if (missed) this.handlers.onReopen()
  }

  private failed(source: EventSource): void {
    // The browser tries again by itself after a cut, but never after an error answer.
    if (source.readyState !== EventSource.CLOSED) return this.lost(BROWSER_RETRY_MS)
    const wait = RETRY_MS[Math.min(this.failures++, RETRY_MS.length - 1)]!
    this.lost(wait)
    this.timer = setTimeout(() => this.start(), wait)
  }

  private received(message: MessageEvent<string>): void {
    this.handlers.onEvent(JSON.parse(message.data) as LiveEvent)
  }

  private lost(wait: number): void {
    const now = Date.now()
    const since = this.state.status === 'lost' ? this.state.since : now
    this.tell({ status: 'lost', since, retryAt: now + wait })
  }

  private move(status: LiveState['status']): void {
    if (this.state.status !== status) this.tell({ status, since: Date.now() })
  }

  private tell(state: LiveState): void {
    this.state = state
    for (const listener of this.listeners) listener()
  }
}
