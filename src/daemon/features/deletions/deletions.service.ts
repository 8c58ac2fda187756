import { setImmediate as pause } from 'node:timers/promises'
import { z } from 'zod'
import type { DelayedDeletion, DeletionOutcome, InboundEvent } from '../../../shared/api/deletions.ts'
import type { Clock } from '../../clock.ts'
import type { DeletionsConfig } from '../../config/settings/retention.ts'
import type { Database } from '../../db/database.ts'
import { AppError } from '../../errors.ts'
import { type BoundJob, bindJob, defineJob } from '../../jobs/define-job.ts'
import type { JobQueue } from '../../jobs/job-queue.ts'
import type { DeletionHolder, DeletionsRepository } from './deletions.repository.ts'

/** Deletes what is due; one at a time, so that any number of deletions is one row in the queue, which waits for the first. */
const runDeletionsJob = defineJob({
  name: 'deletions.run',
  payload: z.object({}),
  lane: 'io',
  priority: 60,
  maxAttempts: 8,
  timeoutMs: 3600_000,
  dedupeKey: () => 'all'
})

/** How long events and ended deletions are remembered. */
const REMEMBERED_MS = 30 * 86_400_000
const FORGOTTEN_AT_ONCE = 500

export interface DeletionsServiceDeps {
  db: Database
  clock: Clock
  queue: JobQueue
  repository: DeletionsRepository
  config: DeletionsConfig
  /** Has the asset let go of for a holder, or for nobody in particular; runs inside a transaction. */
  letGo: (assetId: string, holder: DeletionHolder | null) => DeletionOutcome
}

/** What an event asks for. */
interface Wish {
  isDeletion: boolean
  eventId: string | null
  mediaIds: string[]
  holder: DeletionHolder | null
}

/** Deletions that other systems ask for, carried out after a delay in which they can be taken back. */
export class DeletionsService {
  readonly #deps: DeletionsServiceDeps

  constructor(deps: DeletionsServiceDeps) {
    this.#deps = deps
  }

  /** Takes an event, wherever it comes from, durably. One with an id that was taken before changes nothing. */
  accept(event: InboundEvent): { isNew: boolean; plannedCount: number; cancelledCount: number } {
    const { db, clock, repository, config } = this.#deps
    const { isDeletion, eventId, mediaIds, holder } = wishOf(event, config.namespace)
    return db.transaction(() => {
      const nowMs = clock.nowMs()
      const accepted = { isNew: true, plannedCount: 0, cancelledCount: 0 }
      if (eventId !== null && !repository.noteEvent(eventId, nowMs)) return { ...accepted, isNew: false }
      const runAtMs = nowMs + config.delayMs
      for (const mediaId of mediaIds) {
        if (isDeletion) accepted.plannedCount += repository.add({ mediaId, eventId, holder, runAtMs }, nowMs)
        else accepted.cancelledCount += repository.cancelOf(mediaId, holder, nowMs)
      }
      this.enqueue()
      return accepted
    })
  }

  /** Throws `deletion_not_found`; `deletion_not_waiting` when it is done or cancelled. */
  cancel(deletionId: string): DelayedDeletion {
    const { db, clock, repository } = this.#deps
    return db.transaction(() => {
      const isCancelled = repository.finish(deletionId, null, clock.nowMs())
      const deletion = repository.find(deletionId)
      if (!deletion) throw new AppError('deletion_not_found', { deletionId })
      if (!isCancelled) throw new AppError('deletion_not_waiting', { state: deletion.state })
      return deletion
    })
  }

  /** Carries out what is due; `signal` ends it early. */
  async run(signal: AbortSignal): Promise<void> {
    const { db, clock, repository, letGo } = this.#deps
    for (let next = repository.nextDue(clock.nowMs()); next; next = repository.nextDue(clock.nowMs())) {
      signal.throwIfAborted()
      const { id, mediaId, holder } = next
      db.transaction(() => repository.finish(id, letGo(mediaId, holder), clock.nowMs()))
      await pause()
    }
    this.enqueue()
  }

  /** Has those that wait carried out when the first of them is due. */
  enqueue(): void {
    const { clock, queue, repository } = this.#deps
    const dueMs = repository.nextDueMs()
    if (dueMs !== null) queue.enqueue(runDeletionsJob, {}, { delayMs: Math.max(0, dueMs - clock.nowMs()) })
  }

  /** Forgets what is long over. */
  async forget(signal: AbortSignal): Promise<void> {
    const { db, clock, repository } = this.#deps
    const untilMs = clock.nowMs() - REMEMBERED_MS
    for (let forgotten = FORGOTTEN_AT_ONCE; forgotten === FORGOTTEN_AT_ONCE && !signal.aborted; await pause())
      forgotten = db.relaxedTransaction(() => repository.forget(untilMs, FORGOTTEN_AT_ONCE))
  }

  bindJob(): BoundJob {
    return bindJob(runDeletionsJob, (_, { signal }) => this.run(signal))
  }
}

function wishOf(event: InboundEvent, defaultNamespace: string): Wish {
  const isEnvelope = 'specversion' in event
  const { media_ids, namespace, owner, drop_id } = isEnvelope ? event.data : event
  const isOfHolder = namespace !== undefined || owner !== undefined || drop_id !== undefined
  return {
    isDeletion: event.type.endsWith('deleted'),
    eventId: isEnvelope ? `${event.source} ${event.id}` : (event.id ?? null),
    mediaIds: [...new Set(media_ids)],
    holder: isOfHolder
      ? {
          namespace: namespace ?? defaultNamespace,
          owner: owner ?? null,
          externalId: drop_id === undefined ? null : String(drop_id)
        }
      : null
  }
}
