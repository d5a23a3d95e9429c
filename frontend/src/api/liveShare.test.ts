import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { SharedLive } from './liveShare'

/** As much of an EventSource as the stream uses; the test is the server. */
class FakeSource extends EventTarget {
  static open: FakeSource[] = []
  static readonly CLOSED = 2
  readyState = 1
  constructor() {
    super()
    FakeSource.open.push(this)
  }
  close() {
    FakeSource.open = FakeSource.open.filter((source) => source !== this)
  }
  say(kind: string, data: object) {
    this.dispatchEvent(Object.assign(new Event(kind), { data: JSON.stringify({ kind, ...data }) }))
  }
}

/** The browser's exclusive lock, granted in the order of asking. */
class FakeLocks {
  private tail = Promise.resolve()
  request(_name: string, options: { signal: AbortSignal }, held: () => Promise<void>) {
    const turn = this.tail.then(() => (options.signal.aborted ? undefined : held()))
    this.tail = turn.catch(() => undefined) as Promise<void>
    return turn
  }
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 20))

function tab() {
  const onEvent = vi.fn()
  const onReopen = vi.fn()
  const live = new SharedLive('/api/events', { onEvent, onReopen })
  return { live, onEvent, onReopen }
}

describe('tabs of one browser', () => {
  beforeEach(() => {
    FakeSource.open = []
    vi.stubGlobal('EventSource', FakeSource)
    vi.stubGlobal('navigator', { locks: new FakeLocks() })
  })
  afterEach(() => void vi.unstubAllGlobals())

  it('share one stream, and each hears every event', async () => {
    const [a, b] = [tab(), tab()]
    a.live.start()
    b.live.start()
    await settle()
    expect(FakeSource.open).toHaveLength(1)
    FakeSource.open[0]!.say('points', { run_id: 7 })
    await settle()
    expect(a.onEvent).toHaveBeenCalledExactlyOnceWith({ kind: 'points', run_id: 7 })
    expect(b.onEvent).toHaveBeenCalledExactlyOnceWith({ kind: 'points', run_id: 7 })
    a.live.stop()
    b.live.stop()
  })

  it('take over when the reading one closes, and read again what they may have missed', async () => {
    const [a, b] = [tab(), tab()]
    a.live.start()
    b.live.start()
    await settle()
    FakeSource.open[0]!.dispatchEvent(new Event('open'))
    await settle()
    expect(b.live.snapshot().status).toBe('open')
    a.live.stop()
    await settle()
    expect(FakeSource.open).toHaveLength(1)
    expect(b.onReopen).not.toHaveBeenCalled()
    FakeSource.open[0]!.dispatchEvent(new Event('open'))
    expect(b.onReopen).toHaveBeenCalledOnce()
    FakeSource.open[0]!.say('run', { run_id: 8 })
    await settle()
    expect(b.onEvent).toHaveBeenCalledOnce()
    expect(a.onEvent).not.toHaveBeenCalled()
    b.live.stop()
  })

  it('read again what they may have missed while they were away', async () => {
    const [a, b] = [tab(), tab()]
    a.live.start()
    b.live.start()
    await settle()
    FakeSource.open[0]!.dispatchEvent(new Event('open'))
    await settle()
    expect([a.onReopen.mock.calls.length, b.onReopen.mock.calls.length]).toEqual([0, 0])
    b.live.stop()
    b.live.start()
    await settle()
    expect([a.onReopen.mock.calls.length, b.onReopen.mock.calls.length]).toEqual([0, 1])
    b.live.stop()
    a.live.stop()
    a.live.start()
    await settle()
    FakeSource.open[0]!.dispatchEvent(new Event('open'))
    expect(a.onReopen).toHaveBeenCalledOnce()
    a.live.stop()
  })

  it('all know when the connection is lost', async () => {
    const [a, b] = [tab(), tab()]
    a.live.start()
    b.live.start()
    await settle()
    FakeSource.open[0]!.dispatchEvent(new Event('error'))
    await settle()
    expect([a.live.snapshot().status, b.live.snapshot().status]).toEqual(['lost', 'lost'])
    a.live.stop()
    b.live.stop()
  })
})
