/**
 * One event stream a browser, not one a tab: over HTTP/1.1 a browser opens six connections to a server, and six tabs with a stream each would
 * leave none for anything else. The tab that holds the lock reads the stream and passes it on; when it closes, the next one takes over.
 */

import { LiveConnection, type LiveState } from './live'
import type { LiveEvent } from './types'

type Message = { kind: 'event'; event: LiveEvent } | { kind: 'state'; state: LiveState } | { kind: 'reopened' } | { kind: 'hello' } | { kind: 'retry' }

interface Handlers {
  onEvent: (event: LiveEvent) => void
  onReopen: () => void
}

const NAME = 'depthboard-live'

export class SharedLive {
  private readonly stream: LiveConnection
  private channel: BroadcastChannel | null = null
  private leading = false
  private waited = false
  private left = false
  private leave: AbortController | null = null
  private release: (() => void) | null = null
  private state: LiveState = { status: 'connecting', since: Date.now() }
  private readonly listeners = new Set<() => void>()

  constructor(
    url: string,
    private readonly handlers: Handlers,
  ) {
    this.stream = new LiveConnection(url, {
      onEvent: (event) => this.spread({ kind: 'event', event }),
      onReopen: () => this.spread({ kind: 'reopened' }),
    })
    this.stream.subscribe(() => this.spread({ kind: 'state', state: this.stream.snapshot() }))
  }

  start(): void {
    // Locks exist in secure contexts only: elsewhere every tab has a stream of its own.
    if (!('locks' in navigator)) return this.lead()
    this.channel = new BroadcastChannel(NAME)
    this.channel.addEventListener('message', ({ data }: MessageEvent<Message>) => this.receive(data))
    this.leave = new AbortController()
    void this.askForLock(this.leave.signal)
    this.channel.postMessage({ kind: 'hello' } satisfies Message)
  }

  stop(): void {
    this.leave?.abort()
    this.release?.()
    this.leading = false
    this.left = true
    this.stream.stop()
    this.channel?.close()
    this.channel = null
  }

  retryNow(): void {
    if (this.leading) this.stream.start()
    else this.channel?.postMessage({ kind: 'retry' } satisfies Message)
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  snapshot = (): LiveState => this.state

  private async askForLock(signal: AbortSignal): Promise<void> {
    const held = () =>
      new Promise<void>((resolve) => {
        this.release = resolve
        this.lead()
      })
    await navigator.locks.request(NAME, { signal }, held).catch((error: unknown) => {
      // Leaving before the lock came is no fault.
      if (!signal.aborted) throw error
    })
  }

  private lead(): void {
    this.leading = true
    // Between two readers events may have passed unseen.
    this.stream.start(this.waited)
  }

  /** To the other tabs, and to this one. */
  private spread(message: Message): void {
    this.channel?.postMessage(message)
    this.receive(message)
  }

  private receive(message: Message): void {
    switch (message.kind) {
      case 'event':
        return this.handlers.onEvent(message.event)
      case 'reopened':
        return this.handlers.onReopen()
      case 'state':
        this.waited ||= !this.leading
        this.move(message.state)
        return this.caughtUp(message.state)
      case 'hello':
        if (this.leading) this.channel?.postMessage({ kind: 'state', state: this.state } satisfies Message)
        return
      case 'retry':
        if (this.leading) this.stream.start()
    }
  }

  /** A tab that was away, in the back/forward cache say, and joins another's stream reads everything again. */
  private caughtUp(state: LiveState): void {
    if (!this.left || state.status !== 'open') return
    this.left = false
    if (!this.leading) this.handlers.onReopen()
  }

  private move(state: LiveState): void {
    this.state = state
    for (const listener of this.listeners) listener()
  }
}
