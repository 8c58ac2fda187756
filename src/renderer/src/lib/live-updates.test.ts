import { QueryClient } from '@tanstack/react-query'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { connection, type LiveHandler, retryConnection, startLiveUpdates } from './live-updates.ts'
import { session } from './session.ts'

/** The browser's side of an event stream, driven by the test. jsdom has none. */
class StreamStandIn extends EventTarget {
  static opened: StreamStandIn[] = []
  readonly url: string
  closed = false
  onopen: (() => void) | null = null
  onerror: (() => void) | null = null
  constructor(url: string) {
    super()
    this.url = url
    StreamStandIn.opened.push(this)
  }
  close(): void {
    this.closed = true
  }
  send(type: string, data: unknown, lastEventId = ''): void {
    this.dispatchEvent(new MessageEvent(type, { data: JSON.stringify(data), lastEventId }))
  }
}

const client = new QueryClient()
const handler = { onStored: vi.fn(), onLive: vi.fn(), onReopen: vi.fn() } satisfies LiveHandler
let stop: () => void
const latest = () => StreamStandIn.opened.at(-1) as StreamStandIn
const stored = { seq: 7, type: 'asset.arrived', subject: 'a'.repeat(26), at: '2026-11-21T10:00:00.000Z', data: {} }

beforeEach(() => {
  StreamStandIn.opened = []
  vi.clearAllMocks()
  vi.useFakeTimers()
  vi.stubGlobal('EventSource', StreamStandIn)
  vi.stubGlobal('fetch', vi.fn().mockRejectedValue(new TypeError('no route')))
  session.set({ state: 'open' })
  stop = startLiveUpdates(client, [handler])
})

afterEach(() => {
  stop()
  vi.useRealTimers()
})

test('messages reach the handlers; what is not of the contract does not', () => {
  latest().onopen?.()
  expect(connection.get()).toEqual({ state: 'live' })
  expect(handler.onReopen.mock.calls).toEqual([[client, true]])
  latest().send('stored', stored, '7')
  expect(handler.onStored).toHaveBeenCalledWith(client, stored)
  latest().send('live', { type: 'jobs', queued: 1, running: 0, dead: 0 })
  expect(handler.onLive).toHaveBeenCalledWith(client, { type: 'jobs', queued: 1, running: 0, dead: 0 })
  latest().send('stored', { ...stored, type: 'asset.painted' }, '8')
  latest().send('live', { type: 'weather' })
  expect(handler.onStored).toHaveBeenCalledTimes(1)
  expect(handler.onLive).toHaveBeenCalledTimes(1)
})

test('a lost stream is opened again after a growing pause, where it ended', () => {
  latest().onopen?.()
  latest().send('stored', stored, '7')
  latest().onerror?.()
  expect(connection.get()).toEqual({ state: 'lost', attempt: 1 })
  expect(StreamStandIn.opened).toHaveLength(1)
  vi.advanceTimersByTime(1000)
  expect(StreamStandIn.opened).toHaveLength(2)
  expect(latest().url).toBe('/api/v1/events?lastEventId=7')
  latest().onerror?.()
  vi.advanceTimersByTime(1000)
  expect(StreamStandIn.opened).toHaveLength(2)
  vi.advanceTimersByTime(1000)
  expect(StreamStandIn.opened).toHaveLength(3)
  latest().onopen?.()
  expect(connection.get()).toEqual({ state: 'live' })
  expect(handler.onReopen.mock.calls).toEqual([
    [client, true],
    [client, false]
  ])
})

test('a stream on which nothing happened yet goes on from where it began', () => {
  latest().onopen?.()
  latest().send('hello', {}, '41')
  latest().onerror?.()
  vi.advanceTimersByTime(1000)
  expect(latest().url).toBe('/api/v1/events?lastEventId=41')
})

test('a person need not wait for the pause', () => {
  latest().onerror?.()
  retryConnection()
  expect(StreamStandIn.opened).toHaveLength(2)
  vi.advanceTimersByTime(60_000)
  expect(StreamStandIn.opened).toHaveLength(2)
})

test('a reset makes everything be read again', () => {
  latest().onopen?.()
  latest().send('hello', {}, '41')
  latest().send('reset', {}, '90')
  expect(handler.onReopen).toHaveBeenLastCalledWith(client, true)
  expect(handler.onReopen).toHaveBeenCalledTimes(2)
  latest().onerror?.()
  vi.advanceTimersByTime(1000)
  expect(latest().url).toBe('/api/v1/events?lastEventId=90')
})

test('a refused session ends the screen instead of trying for ever', async () => {
  vi.stubGlobal('fetch', vi.fn().mockResolvedValue({ status: 401, json: async () => ({}) }))
  latest().onerror?.()
  await vi.waitFor(() => expect(session.get()).toEqual({ state: 'none', reason: 'ended' }))
})
