import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import { messageOf } from '../../errors.ts'
import { blobIdOfPinnedKey, isPinnedKey, type ObjectKeys, UPLOADS } from '../../object-keys.ts'
import type { ListResult, ObjectStore } from '../../object-store/object-store.ts'
import type { ObjectRemovals } from '../../removals/object-removals.ts'
import { isWorkspaceId, uploadRoot } from '../pilot/object-key.ts'
import type { BlobRow, BlobsRepository } from './blobs.repository.ts'
import type { IngestRepository } from './ingest.repository.ts'
import type { IngestService } from './ingest.service.ts'
import { isDamaged, isWhole } from './is-whole.ts'
import type { IngestedObject, UploadsRepository } from './uploads.repository.ts'

export interface ReconcilerDeps {
  db: Database
  store: ObjectStore
  keys: ObjectKeys
  repository: IngestRepository
  blobs: BlobsRepository
  uploads: UploadsRepository
  ingest: IngestService
  removals: ObjectRemovals
  clock: Clock
  log: Logger
  /** Whether other bases may keep objects in the bucket: then uploads are taken in only for workspaces that the catalogue knows. */
  isBucketShared?: boolean
  /** Whether uploads of this workspace may be taken in. */
  acceptsWorkspace: (workspaceId: string) => boolean
  /** Told of each upload that was taken in. */
  onAdopted?: (upload: { objectKey: string; sizeBytes: number; assetId: string }) => void
  /** An object younger than this may still be waiting for its controller's report. */
  settleMs?: number
  intervalMs?: number
}

/** What one pass found and did. */
export interface ReconcileReport {
  objects: number
  adopted: number
  forgottenFiles: number
  lostBlobs: number
  foundBlobs: number
  leftovers: number
}

type StoredObject = ListResult['objects'][number]

/** A page of a listing and the stretch of keys it covers completely: after `from` up to `to`. */
interface Page {
  from: string
  to: string
  objects: Map<string, StoredObject>
}

const DEFAULT_SETTLE_MS = 120_000
const DEFAULT_INTERVAL_MS = 600_000
/** A copy that still belongs to nothing after a day is not about to. */
const LEFTOVER_MS = 86_400_000
const FIRST_PASS_AFTER_MS = 3000
/** After each page it rests this many times as long as the page took, so that a pass never is what a person notices. */
const REST_FACTOR = 3
const LONGEST_REST_MS = 2000

/**
 * Compares what is stored with what the catalogue says, in both directions: uploads nobody reported become assets; rows
 * whose object is gone are removed or marked. Acts only on what the store says for certain: the first error ends the pass.
 */
export class Reconciler {
  readonly #deps: ReconcilerDeps
  readonly #settleMs: number
  #timer: NodeJS.Timeout | undefined
  #running: Promise<ReconcileReport | undefined> | undefined
  #stopping = new AbortController()

  constructor(deps: ReconcilerDeps) {
    this.#deps = deps
    this.#settleMs = deps.settleMs ?? DEFAULT_SETTLE_MS
  }

  /** Begins passes: the first one soon, then again and again. */
  start(): void {
    this.#schedule(FIRST_PASS_AFTER_MS)
  }

  /** Ends the pass that runs after its present step. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer)
    this.#stopping.abort()
    await this.#running
  }

  /** One pass, now; the one that already runs when there is one. Undefined when the store failed or the program stops. */
  run(): Promise<ReconcileReport | undefined> {
    this.#running ??= this.#pass().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  #schedule(delayMs: number): void {
    if (this.#stopping.signal.aborted) return
    this.#timer = setTimeout(() => {
      void this.run().then(() => this.#schedule(this.#deps.intervalMs ?? DEFAULT_INTERVAL_MS))
    }, delayMs).unref()
  }

  async #pass(): Promise<ReconcileReport | undefined> {
    const { log } = this.#deps
    const report: ReconcileReport = {
      objects: 0,
      adopted: 0,
      forgottenFiles: 0,
      lostBlobs: 0,
      foundBlobs: 0,
      leftovers: 0
    }
    try {
      for (const workspaceId of await this.#workspaces())
        for await (const page of this.#pages(uploadRoot(workspaceId))) {
          report.objects += page.objects.size
          report.adopted += await this.#adopt(workspaceId, page)
          report.forgottenFiles += await this.#forgetFiles(workspaceId, page)
          await this.#checkBlobs(page, report)
        }
      for (const folder of this.#deps.keys.pinnedFolders)
        for await (const page of this.#pages(folder)) {
          await this.#checkBlobs(page, report)
          report.leftovers += await this.#removeLeftovers(page)
        }
    } catch (error) {
      if (!this.#stopping.signal.aborted) log.warn({ reason: messageOf(error), ...report }, 'reconciling ended early')
      return undefined
    }
    const { objects: _, ...changed } = report
    const changes = Object.values(changed).reduce((sum, count) => sum + count, 0)
    log[changes > 0 ? 'info' : 'debug'](report, 'catalogue and store were compared')
    return report
  }

  /** Those in the catalogue and, in a bucket of our own, those that only have objects, because the very first report was lost. */
  async #workspaces(): Promise<string[]> {
    const { repository, isBucketShared, acceptsWorkspace } = this.#deps
    const ids = new Set(repository.listWorkspaceIds())
    if (!isBucketShared) for (const id of await this.#listWorkspaces()) ids.add(id)
    return [...ids].filter((id) => isWorkspaceId(id) && acceptsWorkspace(id)).sort()
  }

  /** Those that have objects. */
  async #listWorkspaces(): Promise<string[]> {
    const ids: string[] = []
    const folder = `${UPLOADS}/`
    let cursor: string | null = null
    do {
      const listed: ListResult = await this.#deps.store.list({
        prefix: folder,
        delimiter: '/',
        ...(cursor ? { cursor } : {})
      })
      ids.push(...listed.prefixes.map((prefix) => prefix.slice(folder.length, -1)))
      cursor = listed.cursor
    } while (cursor !== null)
    return ids
  }

  /** The objects under a prefix, page by page, at an easy pace. The last page reaches to the end of the prefix. */
  async *#pages(prefix: string): AsyncGenerator<Page> {
    let cursor: string | null = null
    let from = prefix
    do {
      const startedAt = performance.now()
      const listed: ListResult = await this.#deps.store.list({ prefix, ...(cursor ? { cursor } : {}) })
      cursor = listed.cursor
      // `0` follows `/`: the prefix with its last slash replaced sorts right behind everything under it.
      const to = cursor === null ? prefix.replace(/\/$/, '0') : (listed.objects.at(-1)?.key ?? from)
      yield { from, to, objects: new Map(listed.objects.map((object) => [object.key, object])) }
      from = to
      this.#stopping.signal.throwIfAborted()
      if (cursor !== null) {
        const restMs = Math.min((performance.now() - startedAt) * REST_FACTOR, LONGEST_REST_MS)
        await pause(restMs, undefined, { signal: this.#stopping.signal, ref: false })
      }
    } while (cursor !== null)
  }

  async #adopt(workspaceId: string, page: Page): Promise<number> {
    const { blobs, uploads, ingest, removals, store, clock, log } = this.#deps
    // What the catalogue has in a store that is not connected is taken in once more: here it is within reach.
    const isHere = ({ state, blob }: IngestedObject) => state === 'forgotten' || blob.store === store.kind
    const known = new Set(
      uploads
        .listObjects(workspaceId, page.from, page.to)
        .filter(isHere)
        .map(({ objectKey, etag }) => versionId(objectKey, etag))
    )
    for (const blob of blobs.list(page.from, page.to)) known.add(versionId(blob.key, blob.etag))
    const settledBefore = clock.nowMs() - this.#settleMs
    let adopted = 0
    for (const { key, etag, lastModifiedMs } of page.objects.values()) {
      if (lastModifiedMs > settledBefore || known.has(versionId(key, etag))) continue
      // Its asset was purged; it is about to go.
      if (removals.isRequested(key, etag)) continue
      this.#stopping.signal.throwIfAborted()
      const upload = await ingest.adoptObject(workspaceId, key).catch((error: unknown) => {
        if (!isDamaged(error)) throw error
        log.warn({ key }, 'an upload that was never reported is damaged and cannot be taken in')
        return 'object_missing' as const
      })
      if (upload === 'object_missing') continue
      log.info({ key }, 'an upload that was never reported is in the catalogue now')
      this.#deps.onAdopted?.({ objectKey: key, ...upload })
      adopted++
    }
    return adopted
  }

  async #forgetFiles(workspaceId: string, page: Page): Promise<number> {
    const { uploads, ingest, store } = this.#deps
    let forgotten = 0
    for (const file of uploads.listFiles(workspaceId, page.from, page.to)) {
      if (page.objects.has(file.headKey)) continue
      // It may have been uploaded after the page was read.
      if ((await store.head(file.headKey)) !== null) continue
      ingest.forgetGoneObject(file)
      forgotten++
    }
    return forgotten
  }

  async #checkBlobs(page: Page, report: ReconcileReport): Promise<void> {
    const { blobs, db, store, ingest } = this.#deps
    for (const blob of blobs.list(page.from, page.to)) {
      const listed = page.objects.get(blob.key)
      if (listed?.etag === blob.etag) {
        // A listing says that the object is there, not that its bytes are.
        if (!blobs.isLost(blob.id) || !(await isWhole(store, blob))) continue
        db.transaction(() => ingest.markFound(blob, blob))
        report.foundBlobs++
        continue
      }
      const stat = await store.head(blob.key)
      if (stat?.etag === blob.etag || !this.#isCurrent(blob) || blobs.isLost(blob.id)) continue
      db.transaction(() => ingest.markLost(blob, stat ? 'bytes_changed' : 'bytes_missing'))
      report.lostBlobs++
    }
  }

  /**
   * Removes copies of ours that no blob has: what ends a job or the program between copying and recording leaves one. Only
   * where a blob provably has the same bytes elsewhere; an object that is the only one of its kind is not ours to judge.
   */
  async #removeLeftovers(page: Page): Promise<number> {
    const { blobs, ingest, store, removals, clock, log } = this.#deps
    const known = new Set(blobs.list(page.from, page.to).map((blob) => blob.key))
    let removed = 0
    for (const object of page.objects.values()) {
      const { key, etag, lastModifiedMs } = object
      if (known.has(key) || lastModifiedMs > clock.nowMs() - LEFTOVER_MS) continue
      // It goes by itself, when its time has come.
      if (removals.isRequested(key, etag)) continue
      // In a bucket that is shared, others may keep what they like.
      if (store.kind !== 'local' && !isPinnedKey(key)) continue
      const kept = await this.#blobOfCopy(object)
      if (!kept || kept.key === key || !(await isWhole(store, kept))) {
        log.warn({ key }, 'an object belongs to nothing in the catalogue; it is left alone')
        continue
      }
      // The job that makes such a copy holds its key until the copy is recorded.
      if (!ingest.isQuiet(key)) continue
      await ingest.whileQuiet(key, async () => {
        if (blobs.list(key).length > 0) return
        await store.delete(key, { ifMatch: etag })
        removed++
      })
    }
    return removed
  }

  /** The blob whose bytes a copy of ours has. In an external store its key tells: to look into it would mean to read it all. */
  async #blobOfCopy({ key, sizeBytes }: StoredObject): Promise<BlobRow | undefined> {
    const { blobs, store } = this.#deps
    if (store.kind === 'local') return blobs.findBySha256(await store.sha256Of(key, { signal: this.#stopping.signal }))
    const blob = blobs.find(blobIdOfPinnedKey(key) ?? '')
    return blob?.sizeBytes === sizeBytes ? blob : undefined
  }

  /** Whether the catalogue still says of the blob what was judged; it may have been merged or moved meanwhile. */
  #isCurrent(blob: BlobRow): boolean {
    const now = this.#deps.blobs.find(blob.id)
    return now?.key === blob.key && now.etag === blob.etag
  }
}

function versionId(key: string, etag: string): string {
  return `${etag} ${key}`
}
