import { setImmediate as pause } from 'node:timers/promises'
import { type Clock, isoFromMs } from '../../clock.ts'
import type { RetentionConfig } from '../../config/settings/retention.ts'
import type { Database } from '../../db/database.ts'
import type { Outbox } from '../../events/outbox.ts'
import { type AgeCursor, BEGINNING, type LifecycleRepository } from './lifecycle.repository.ts'

export interface ExpiryWarningsDeps {
  db: Database
  clock: Clock
  outbox: Outbox
  config: RetentionConfig
  repository: LifecycleRepository
}

/** Assets looked at in one transaction; nobody waits longer than for these. */
const CHUNK = 25
const BECOMES = { bin: 'binned', purge: 'purged', archive: 'archived' } as const
/** Assets that one run tells of; the collector takes no more either. */
const MAX_TOLD = 10_000

/** Tells of assets that nothing holds before the collector takes them: once in each grace period. */
export class ExpiryWarnings {
  readonly #deps: ExpiryWarningsDeps

  constructor(deps: ExpiryWarningsDeps) {
    this.#deps = deps
  }

  /** Tells of all whose time is over soon; `signal` ends it early. */
  async run(signal?: AbortSignal): Promise<void> {
    const { db, config } = this.#deps
    if (config.warnMs === 0) return
    let left = MAX_TOLD
    for (let after: AgeCursor | undefined = BEGINNING; after && left > 0 && !signal?.aborted; await pause()) {
      const step: { told: number; last: AgeCursor | undefined } = db.relaxedTransaction(() => this.#tellNext(after!))
      left -= step.told
      after = step.last
    }
  }

  #tellNext(after: AgeCursor): { told: number; last: AgeCursor | undefined } {
    const { clock, outbox, config, repository } = this.#deps
    const nowMs = clock.nowMs()
    const untilMs = nowMs + config.warnMs - config.graceMs
    const untold = repository.listUntold({ untilMs, after, limit: CHUNK })
    let told = 0
    for (const { id, sinceMs, heldUntilMs, workspaceId, name } of untold) {
      const expiresAtMs = Math.max(sinceMs + config.graceMs, heldUntilMs ?? 0)
      if (expiresAtMs > nowMs + config.warnMs) continue
      repository.setTold(id, nowMs)
      outbox.append('asset.expiring', id, {
        workspaceId,
        name,
        expiresAt: isoFromMs(expiresAtMs),
        becomes: BECOMES[config.orphanPolicy]
      })
      told++
    }
    return { told, last: untold.at(-1) }
  }
}
