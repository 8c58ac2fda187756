import type { QueryClient } from '@tanstack/react-query'
import {
  type LiveMessage,
  liveMessageSchema,
  type StoredEvent,
  storedEventSchema,
  streamEvents
} from '../../../shared/api/events.ts'
import { getStatus } from '../../../shared/api/system.ts'
import { api, isSessionLost } from './api.ts'
import { session } from './session.ts'
import { createStore } from './store.ts'

/** What one resource does when the daemon tells something. Handlers change or invalidate that resource's queries only. */
export interface LiveHandler {
  /** A fact from the outbox; missed ones are replayed after a reconnect. */
  onStored?(client: QueryClient, event: StoredEvent): void
  /** A passing moment, never replayed. */
  onLive?(client: QueryClient, message: LiveMessage): void
  /**
   * The stream has (re)opened: passing moments may have been missed. `missedFacts` tells that facts may have been, too, because
   * the stream could not go on where it ended.
   */
  onReopen(client: QueryClient, missedFacts: boolean): void
}

/** Whether the daemon's event stream is there. `attempt` counts failures since it last was. */
export type Connection = { state: 'connecting' } | { state: 'live' } | { state: 'lost'; attempt: number }

export const connection = createStore<Connection>({ state: 'connecting' })

const longestPauseMs = 8_000
let retry: (() => void) | undefined

/** Connects at once instead of after the pause; without effect while connected. */
export function retryConnection(): void {
  retry?.()
}

/**
 * Follows `/api/v1/events` and hands every message to `handlers`. Reconnects by itself with growing pauses, because a browser's
 * EventSource gives up for good after one refused answer. The returned function ends it.
 */
export function startLiveUpdates(client: QueryClient, handlers: readonly LiveHandler[]): () => void {
  let source: EventSource | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let lastEventId = ''
  let attempt = 0
  let ended = false

  const reopen = (missedFacts: boolean) => {
    for (const handler of handlers) handler.onReopen(client, missedFacts)
  }

  function connect(): void {
    clearTimeout(timer)
    timer = undefined
    source?.close()
    const isFresh = lastEventId === ''
    const stream = new EventSource(isFresh ? streamEvents.path : `${streamEvents.path}?lastEventId=${lastEventId}`)
    const remember = (message: MessageEvent) => {
      if (message.lastEventId !== '') lastEventId = message.lastEventId
    }
    source = stream
    stream.onopen = () => {
      attempt = 0
      connection.set({ state: 'live' })
      reopen(isFresh)
    }
    stream.addEventListener('hello', remember)
    stream.addEventListener('stored', (message) => {
      remember(message)
      const event = storedEventSchema.safeParse(parseJson(message.data))
      // An event type of a newer daemon is none of this page's business.
      if (event.success) for (const handler of handlers) handler.onStored?.(client, event.data)
    })
    stream.addEventListener('live', (message) => {
      const live = liveMessageSchema.safeParse(parseJson(message.data))
      if (live.success) for (const handler of handlers) handler.onLive?.(client, live.data)
    })
    stream.addEventListener('reset', (message) => {
      remember(message)
      reopen(true)
    })
    stream.onerror = () => {
      stream.close()
      if (source === stream) void lose()
    }
  }

  async function lose(): Promise<void> {
    source = undefined
    attempt += 1
    connection.set({ state: 'lost', attempt })
    timer = setTimeout(connect, Math.min(longestPauseMs, 500 * 2 ** attempt))
    const error = await api.call(getStatus, {}).then(
      () => null,
      (reason: unknown) => reason
    )
    if (!ended && isSessionLost(error)) session.set({ state: 'none', reason: 'ended' })
  }

  const leave = () => source?.close()
  window.addEventListener('pagehide', leave)
  retry = () => {
    if (timer !== undefined) connect()
  }
  connect()

  return () => {
    ended = true
    retry = undefined
    clearTimeout(timer)
    source?.close()
    window.removeEventListener('pagehide', leave)
    connection.set({ state: 'connecting' })
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
