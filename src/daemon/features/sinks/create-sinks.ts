import type { InboundEvent } from '../../../shared/api/deletions.ts'
import type { SinksConfig } from '../../config/settings/outgoing.ts'
import type { Database } from '../../db/database.ts'
import type { Feature } from '../../feature.ts'
import { Sink, type SinkDeps, type SinkTarget } from './sink.ts'
import { SinksRepository } from './sinks.repository.ts'
import { bindSinks } from './sinks.routes.ts'

export interface SinksDeps extends Omit<SinkDeps, 'repository' | 'target'> {
  db: Database
  config: SinksConfig
  /** Of the envelopes. */
  source: string
  /** Where others get the bytes of an asset. */
  mediaUrl: (assetId: string) => string
  /** Takes an event from outside, which a broker may bring as well. */
  acceptInbound: (event: InboundEvent) => void
}

/** The message brokers of the configuration, each told all events; Redis also brings some. */
export function createSinks(deps: SinksDeps): Feature {
  const repository = new SinksRepository(deps.db)
  const sinks = targetsOf(deps).map((target) => new Sink({ ...deps, repository, target }))
  let inbound: ReturnType<typeof listen> | undefined
  return {
    bind: (binder) => bindSinks(binder, sinks),
    start: () => {
      for (const sink of sinks) sink.start()
      if (deps.config.redis) inbound = listen(deps.config.redis.url, deps)
    },
    stop: async () => {
      const listening = await inbound
      listening?.close()
      await Promise.all(sinks.map((sink) => sink.stop()))
    }
  }
}

function targetsOf({ config: { redis, kafka }, source, mediaUrl }: SinksDeps): SinkTarget[] {
  const targets: SinkTarget[] = []
  if (redis)
    targets.push({
      name: 'redis',
      address: withoutLogin(redis.url),
      connect: async () => (await import('./redis-connection.ts')).connectRedis({ ...redis, source, mediaUrl })
    })
  if (kafka)
    targets.push({
      name: 'kafka',
      address: kafka.brokers.join(','),
      connect: async () => (await import('./kafka-connection.ts')).connectKafka({ ...kafka, source })
    })
  return targets
}

async function listen(url: string, { acceptInbound, log }: SinksDeps): Promise<{ close(): void } | undefined> {
  try {
    const { listenToRedis } = await import('./redis-inbound.ts')
    return listenToRedis({ url, accept: acceptInbound, log })
  } catch (error) {
    log.error({ err: error }, 'nothing is heard from Redis')
    return undefined
  }
}

function withoutLogin(url: string): string {
  const { protocol, host, pathname } = new URL(url)
  return `${protocol}//${host}${pathname}`
}
