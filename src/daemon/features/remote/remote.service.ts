import { createHash } from 'node:crypto'
import { setImmediate as pause } from 'node:timers/promises'
import type { Clock } from '../../clock.ts'
import type { RemoteConfig } from '../../config/settings/remote.ts'
import type { Database } from '../../db/database.ts'
import { AppError } from '../../errors.ts'
import type { Outbox } from '../../events/outbox.ts'
import { assertAllowed, FetchFailed, type FetchRules } from '../../http/safe-fetch.ts'
import { newId } from '../../ids.ts'
import { type BoundJob, bindJob } from '../../jobs/define-job.ts'
import type { JobQueue } from '../../jobs/job-queue.ts'
import { whenStoreAnswers } from '../../jobs/when-store-answers.ts'
import type { ObjectRemovals } from '../../removals/object-removals.ts'
import { safeName } from '../uploads/safe-name.ts'
import { fetchRemoteJob } from './remote.jobs.ts'
import type { KeptFile, RemoteEntry, RemoteRepository } from './remote.repository.ts'
import type { FetchOutcome, RemoteFetcher } from './remote-fetcher.ts'

export interface RemoteServiceDeps {
  db: Database
  clock: Clock
  outbox: Outbox
  queue: JobQueue
  removals: ObjectRemovals
  repository: RemoteRepository
  fetcher: RemoteFetcher
  config: RemoteConfig
  rules: FetchRules
  /** Throws `workspace_not_found` where workspaces are not made by using them. */
  assertWorkspace: (workspaceId: string) => void
  /** Throws `blob_quarantined`. */
  assertNotQuarantined: (sha256: string) => void
}

/** A failure is believed for so long: an application asks again with every page it shows. */
const FAILURE_REST_MS = 60_000
/** Not every reading is written down. */
const USE_STEP_MS = 60_000
const DROPPED_AT_ONCE = 100

/** Files of others, kept for a while: asked for at once, fetched by a job. */
export class RemoteService {
  readonly #deps: RemoteServiceDeps

  constructor(deps: RemoteServiceDeps) {
    this.#deps = deps
  }

  /**
   * The task for an address: the one there is, which fetches again when its file is not fresh (or `refresh` says so), or a new one.
   * Throws `remote_disabled`, `remote_url_refused`, `workspace_not_found`.
   */
  request({ url: text, workspaceId, refresh }: { url: string; workspaceId: string; refresh: boolean }): RemoteEntry {
    const { db, clock, repository, config, queue } = this.#deps
    if (!config.isEnabled) throw new AppError('remote_disabled')
    const url = this.#assertUrl(text)
    this.#deps.assertWorkspace(workspaceId)
    return db.transaction(() => {
      const nowMs = clock.nowMs()
      const urlSha256 = sha256(url)
      const known = repository.findByUrl(workspaceId, urlSha256)
      if (known) repository.setUsed(known.id, nowMs)
      const id = known?.id ?? newId(nowMs)
      if (!known) repository.insert({ id, workspaceId, url, urlSha256 }, nowMs)
      else if (isToFetch(known, refresh, nowMs)) repository.setOpen(id, 'pending', null)
      else return repository.find(id)!
      queue.enqueue(fetchRemoteJob, { taskId: id })
      return repository.find(id)!
    })
  }

  /** Throws `remote_media_not_found`. */
  get(taskId: string): RemoteEntry {
    const entry = this.#deps.repository.find(taskId)
    if (!entry) throw new AppError('remote_media_not_found', { taskId })
    return entry
  }

  /** What is kept, to be read, with a name to save it under. Throws `remote_media_not_found`, `remote_media_not_ready`, `blob_quarantined`. */
  open(taskId: string): { name: string; file: KeptFile } {
    const { db, clock, repository } = this.#deps
    const { file, url, status, problem, lastUsedAtMs } = this.get(taskId)
    if (!file) throw new AppError('remote_media_not_ready', { status, problem: problem?.code ?? null })
    this.#deps.assertNotQuarantined(file.sha256)
    const nowMs = clock.nowMs()
    if (nowMs - lastUsedAtMs >= USE_STEP_MS) db.relaxedTransaction(() => repository.setUsed(taskId, nowMs))
    return { name: nameIn(url), file }
  }

  /** Throws `remote_media_not_found`. */
  drop(taskId: string): void {
    this.#deps.db.transaction(() => this.#forget(this.get(taskId)))
  }

  bindJob(): BoundJob {
    return bindJob(fetchRemoteJob, ({ taskId }, { signal, attempt }) =>
      whenStoreAnswers(() => this.fetch(taskId, attempt >= fetchRemoteJob.maxAttempts, signal))
    )
  }

  /**
   * Fetches what a task asks for, unless that is done. Throws what a later attempt may cure: `FetchFailed`, `ObjectStoreError`; the task
   * has failed when this was the last one.
   */
  async fetch(taskId: string, isLast: boolean, signal: AbortSignal): Promise<void> {
    const { db, repository, fetcher, config } = this.#deps
    const entry = repository.find(taskId)
    if (!entry || entry.status === 'ready') return
    if (!config.isEnabled)
      return this.#fail(entry, { code: 'remote_disabled', message: 'remote media is switched off' })
    db.relaxedTransaction(() => repository.setOpen(taskId, 'fetching', entry.problem))
    try {
      const outcome = await fetcher.fetch(entry, signal)
      db.transaction(() => this.#settle(taskId, outcome))
    } catch (error) {
      signal.throwIfAborted()
      const failure = error instanceof FetchFailed ? error : null
      const problem = failure ? { code: failure.problem, message: failure.message } : entry.problem
      if (failure && problem && (failure.isFinal || isLast)) this.#fail(entry, problem)
      else db.relaxedTransaction(() => repository.setOpen(taskId, 'pending', problem))
      if (!failure?.isFinal) throw error
    }
  }

  /** Drops what was not used for long, and the least used of what is too much. */
  async tidy(signal: AbortSignal): Promise<void> {
    const { db, clock, repository, config } = this.#deps
    const untilMs = clock.nowMs() - config.keepMs
    for (let dropped = DROPPED_AT_ONCE; dropped === DROPPED_AT_ONCE && !signal.aborted; await pause())
      dropped = db.transaction(() => {
        const unused = repository.listUnused(untilMs, DROPPED_AT_ONCE)
        for (const entry of unused) this.#forget(entry)
        return unused.length
      })
    for (let dropped = DROPPED_AT_ONCE; dropped === DROPPED_AT_ONCE && !signal.aborted; await pause())
      dropped = db.transaction(() => this.#makeRoom(null))
  }

  #settle(taskId: string, outcome: FetchOutcome): void {
    const { clock, repository, removals, outbox } = this.#deps
    const { file, isNew } = outcome
    const entry = repository.find(taskId)
    // Dropped meanwhile.
    if (!entry) {
      if (isNew) removals.request(file.key, null)
      return
    }
    if (isNew) {
      removals.cancel(file.key, '')
      if (entry.file) removals.request(entry.file.key, entry.file.storeEtag)
    }
    repository.setReady(taskId, file, clock.nowMs())
    const { workspaceId, url } = entry
    const isChanged = entry.file?.sha256 !== file.sha256
    const { mimeType, sizeBytes, sha256: digest } = file
    outbox.append('remote.cached', taskId, { workspaceId, url, mimeType, sizeBytes, sha256: digest, isChanged })
    this.#makeRoom(taskId)
  }

  #fail({ id, workspaceId, url }: RemoteEntry, problem: NonNullable<RemoteEntry['problem']>): void {
    const { db, clock, repository, outbox } = this.#deps
    db.transaction(() => {
      if (!repository.find(id)) return
      repository.setFailed(id, problem, clock.nowMs())
      outbox.append('remote.failed', id, { workspaceId, url, problem: problem.code })
    })
  }

  /** Drops some of the least used until all fit. Gives their number. */
  #makeRoom(exceptId: string | null): number {
    const { repository, config } = this.#deps
    let tooMuchBytes = repository.totalBytes() - config.totalBytes
    let dropped = 0
    for (; tooMuchBytes > 0 && dropped < DROPPED_AT_ONCE; dropped++) {
      const entry = repository.leastUsed(exceptId)
      if (!entry?.file) break
      this.#forget(entry)
      tooMuchBytes -= entry.file.sizeBytes
    }
    return dropped
  }

  #forget({ id, file }: RemoteEntry): void {
    this.#deps.repository.delete(id)
    if (file) this.#deps.removals.request(file.key, file.storeEtag)
  }

  /** The address as it is asked for. Throws `remote_url_refused`. */
  #assertUrl(text: string): string {
    if (!URL.canParse(text))
      throw new AppError('remote_url_refused', { problem: 'url_not_allowed', reason: 'not a URL' })
    const url = new URL(text)
    url.hash = ''
    try {
      assertAllowed(url, this.#deps.rules)
    } catch (error) {
      if (!(error instanceof FetchFailed)) throw error
      throw new AppError('remote_url_refused', { problem: error.problem, reason: error.message })
    }
    return url.href
  }
}

function isToFetch({ status, file, settledAtMs }: RemoteEntry, refresh: boolean, nowMs: number): boolean {
  switch (status) {
    case 'pending':
    case 'fetching':
      return false
    case 'ready':
      return refresh || file === null || nowMs >= file.freshUntilMs
    case 'failed':
      return refresh || settledAtMs === null || nowMs - settledAtMs >= FAILURE_REST_MS
  }
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

function nameIn(url: string): string {
  const { pathname } = new URL(url)
  try {
    return safeName(decodeURIComponent(pathname))
  } catch {
    return safeName(pathname)
  }
}
