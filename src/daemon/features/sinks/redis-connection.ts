import { once } from 'node:events'
import { Redis, type RedisOptions } from 'ioredis'
import type { StoredEvent } from '../../../shared/api/events.ts'
import { toCloudEvent } from '../../events/cloud-event.ts'
import { photoMessage } from './photo-message.ts'
import type { SinkConnection } from './sink.ts'

export interface RedisSinkOptions {
  url: string
  /** The key of the stream. */
  stream: string
  /** About how many entries the stream keeps. */
  streamMax: number
  /** Of the envelopes. */
  source: string
  mediaUrl: (assetId: string) => string
}

/** Pub/Sub channel of all events, as CloudEvents. */
export const EVENTS_CHANNEL = 'flightcase:events'

const LONGEST_RECONNECT_MS = 5000
const ANSWER_MS = 5000

/** Nothing is queued while Redis is away, and nothing sent twice behind our back. */
export const redisOptions = {
  connectionName: 'flightcase',
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  connectTimeout: ANSWER_MS,
  socketTimeout: ANSWER_MS,
  retryStrategy: (times: number) => Math.min(times * 200, LONGEST_RECONNECT_MS)
} satisfies RedisOptions

/** Redis: a stream for those who want every event, Pub/Sub for those who look now. Both get them in one transaction. */
export function connectRedis(options: RedisSinkOptions): SinkConnection {
  const redis = new Redis(options.url, redisOptions)
  const closing = new AbortController()
  // Whoever waits for the connection hears of it.
  redis.on('error', () => {})
  return {
    async send(events) {
      const deadline = AbortSignal.any([closing.signal, AbortSignal.timeout(ANSWER_MS)])
      if (redis.status !== 'ready') await once(redis, 'ready', { signal: deadline })
      const batch = redis.multi()
      for (const event of events) add(batch, event)
      const results = await batch.exec().catch((error: Error) => {
        // What a command that was under way hears of it is about our settings.
        throw error.name === 'MaxRetriesPerRequestError' ? new Error('the connection closed, or no answer came') : error
      })
      for (const [error] of results ?? []) if (error) throw error
    },
    async close() {
      closing.abort()
      redis.disconnect()
    }
  }

  function add(batch: ReturnType<Redis['multi']>, event: StoredEvent): void {
    const envelope = JSON.stringify(toCloudEvent(event, options.source))
    const photo = photoMessage(event, options.mediaUrl)
    batch.xadd(options.stream, 'MAXLEN', '~', options.streamMax, '*', 'type', event.type, 'event', envelope)
    batch.publish(EVENTS_CHANNEL, envelope)
    if (photo) batch.publish(photo.channel, JSON.stringify(photo.message))
  }
}
