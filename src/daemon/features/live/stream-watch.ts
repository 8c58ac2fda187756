import type { Logger } from 'pino'
import type { Database } from '../../db/database.ts'
import type { Outbox } from '../../events/outbox.ts'
import { isOutage } from '../../mediamtx/is-outage.ts'
import type { SourcesRepository } from './sources.repository.ts'
import type { SourcesService } from './sources.service.ts'

export interface StreamWatchDeps {
  db: Database
  outbox: Outbox
  repository: SourcesRepository
  service: SourcesService
  log: Logger
}

const INTERVAL_MS = 3000

/** Tells when streams come and go, and has their rates known before anybody looks. */
export class StreamWatch {
  readonly #deps: StreamWatchDeps
  readonly #connected = new Set<string>()
  #looking: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(deps: StreamWatchDeps) {
    this.#deps = deps
  }

  /** Whether something sent it when that was last looked at. */
  isConnected(sourceId: string): boolean {
    return this.#connected.has(sourceId)
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#looking ??= this.#look().finally(() => {
        this.#looking = undefined
      })
    }, INTERVAL_MS).unref()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#looking
  }

  async #look(): Promise<void> {
    const { db, outbox, repository, service, log } = this.#deps
    try {
      const sources = repository.all()
      if (sources.length === 0) return
      const statuses = await service.statusesOf(sources)
      // Of a server that does not answer nothing is known, so nothing is told.
      if (statuses === null) return
      const changed = sources.filter(({ id }) => statuses.get(id)!.connected !== this.#connected.has(id))
      if (changed.length === 0) return
      db.transaction(() => {
        for (const { id, workspaceId, name } of changed)
          outbox.append(this.#connected.has(id) ? 'source.offline' : 'source.online', id, { workspaceId, name })
      })
      for (const { id } of changed) if (!this.#connected.delete(id)) this.#connected.add(id)
    } catch (error) {
      if (!isOutage(error)) log.error({ err: error }, 'the streams cannot be looked at')
    }
  }
}
