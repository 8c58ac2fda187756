import type { SinksConfig } from '../../config/schema.ts'
import type { Database } from '../../db/database.ts'
import type { Feature } from '../../feature.ts'
import { createRedisTarget } from './redis-target.ts'
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
  const { config } = deps
  const repository = new SinksRepository(deps.db)
  const targets: SinkTarget[] = []
  if (config.redis) targets.push(createRedisTarget({ ...deps, ...config.redis }))
  const sinks = targets.map((target) => new Sink({ ...deps, repository, target }))
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
