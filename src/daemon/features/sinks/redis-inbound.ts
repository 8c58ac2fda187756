import { Redis } from 'ioredis'
import type { Logger } from 'pino'
import { type InboundEvent, inboundEventSchema } from '../../../shared/api/deletions.ts'
import { messageOf } from '../../errors.ts'
import { redisOptions } from './redis-connection.ts'

export interface RedisInboundDeps {
  url: string
  /** Takes an event from outside. */
  accept: (event: InboundEvent) => void
  log: Logger
}

/** Pub/Sub channels on which other systems say what became of their things; each has the name of its events. */
const CHANNELS = ['drop_deleted', 'drop_restored']

/** Listens for events from outside, on a connection of its own. What is published while it is away is lost, as ever on Pub/Sub. */
export function listenToRedis({ url, accept, log }: RedisInboundDeps): { close(): void } {
  const redis = new Redis(url, { ...redisOptions, autoResubscribe: false })
  // The sink tells of outages.
  redis.on('error', () => {})
  redis.on('ready', () => {
    redis.subscribe(...CHANNELS).catch((error) => log.warn({ reason: messageOf(error) }, 'Redis lets nobody listen'))
  })
  redis.on('message', (channel: string, message: string) => {
    try {
      accept(inboundEventSchema.parse({ type: channel, ...JSON.parse(message) }))
    } catch (error) {
      log.warn({ channel, reason: messageOf(error) }, 'an event from outside was not understood, or not taken')
    }
  })
  return { close: () => redis.disconnect() }
}
