import { EventSourceParserStream } from 'eventsource-parser/stream'
import { type StoredEvent, storedEventSchema, streamEvents } from '../shared/api/events.ts'
import { refusalOf } from '../shared/api-client.ts'
import type { Connection } from './client.ts'
import { isRefusal, pause } from './patience.ts'

export interface FollowOptions {
  /** The `seq` of the last event that was seen; what came after it is told first. */
  afterSeq?: number
  signal?: AbortSignal
}

/** A fact; or that some were missed for good, because too many happened meanwhile: then lists have to be read again. */
export type FollowedEvent = { kind: 'event'; event: StoredEvent } | { kind: 'missed' }

const LONGEST_PAUSE_MS = 30_000

/** See `FlightcaseClient.follow`. */
export async function* followEvents(connection: Connection, options: FollowOptions): AsyncGenerator<FollowedEvent> {
  const { signal } = options
  let seen = options.afterSeq
  let pauseMs = 500
  while (!signal?.aborted) {
    try {
      for await (const message of await open(connection, seen, signal)) {
        pauseMs = 500
        if (message.id !== undefined) seen = Number(message.id)
        if (message.event === 'stored') {
          const { data: event } = storedEventSchema.safeParse(JSON.parse(message.data))
          // A newer base tells of more than this client knows.
          if (event) yield { kind: 'event', event }
        }
        if (message.event === 'reset') yield { kind: 'missed' }
      }
    } catch (error) {
      if (signal?.aborted) return
      if (isRefusal(error)) throw error
    }
    await pause(pauseMs, signal).catch(() => {})
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
  }
}

/** The messages of one connection. Throws `ApiError` when it is refused. */
async function open({ baseUrl, fetch, headers }: Connection, seen: number | undefined, signal?: AbortSignal) {
  const answer = await fetch(baseUrl + streamEvents.path, {
    headers: {
      ...headers,
      accept: 'text/event-stream',
      ...(seen === undefined ? {} : { 'last-event-id': String(seen) })
    },
    credentials: 'same-origin',
    ...(signal ? { signal } : {})
  })
  if (!answer.ok || answer.body === null) throw await refusalOf(answer)
  return answer.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream())
}
