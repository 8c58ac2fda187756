import type { SinksConfig } from '../../config/schema.ts'
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
}

/** The message brokers of the configuration, each told all events. */
export function createSinks(deps: SinksDeps): Feature {
  const repository = new SinksRepository(deps.db)
  const sinks = targetsOf(deps).map((target) => new Sink({ ...deps, repository, target }))
  return {
    bind: (binder) => bindSinks(binder, sinks),
    start: () => {
      for (const sink of sinks) sink.start()
    },
    stop: async () => {
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

function withoutLogin(url: string): string {
  const { protocol, host, pathname } = new URL(url)
  return `${protocol}//${host}${pathname}`
}
