import { ftruncateSync, writeSync } from 'node:fs'
import { type FileHandle, mkdir, open } from 'node:fs/promises'
import type { Logger } from 'pino'
import { syncFolder } from '../../../files.ts'
import type { IndexDatabase } from '../index-database.ts'
import { type ObjectRow, parseHeaders, parseMetadata } from '../object-rows.ts'
import { Changes } from './changes.ts'
import { LastCommit } from './last-commit.ts'
import type { NewestLog } from './log-end.ts'
import type { RecoveryFolder } from './recovery-folder.ts'
import { lineOf, type RecordedObject, type RecoveryRecord } from './recovery-record.ts'

const SYNC_AFTER_MS = 1000

type Bucket = { name: string; owner: string; createdAtMs: number; corsJson: string | null }

/**
 * Writes down every change of the index a second time, outside of it: after each commit, before anybody is answered, how the buckets
 * and objects it touched are now, and its number, which the index holds as well. It costs no disk flush of its own: the file is flushed a
 * second later, and is needed only where the index, which was flushed, lost it.
 */
export class RecoveryLog {
  /** To be told of whatever a transaction changes. */
  readonly changes = new Changes()
  /** Whether the logs do not tell all since the newest copy. Whoever has made one says that it is over. */
  hasGap: boolean
  readonly #folder: RecoveryFolder
  readonly #log: Logger
  readonly #storeId: string
  readonly #now: () => number
  readonly #rows: RecordedRows
  readonly #lastCommit: LastCommit
  #number: number
  #file: FileHandle
  /** Where its last whole line ends. */
  #bytes: number
  /** There may be more behind that, of a write that failed. */
  #isTorn: boolean
  /** The last commit that is told of in the logs, the last one there is, and the one that is about to be. */
  #written: number
  #committed: number
  #announced: number
  #isFailing = false
  #syncTimer: NodeJS.Timeout | undefined

  private constructor(
    deps: RecoveryLogDeps,
    lastCommit: LastCommit,
    start: { number: number; file: FileHandle; bytes: number; written: number; hasGap: boolean }
  ) {
    this.#folder = deps.folder
    this.#log = deps.log
    this.#storeId = deps.storeId
    this.#now = deps.now
    this.#rows = new RecordedRows(deps.db)
    this.#lastCommit = lastCommit
    this.#number = start.number
    this.#file = start.file
    this.#bytes = start.bytes
    this.#isTorn = start.bytes > 0
    this.#written = start.written
    this.#committed = lastCommit.range().last
    this.#announced = this.#committed
    this.hasGap = start.hasGap
  }

  /**
   * Goes on with the newest log, behind its last readable line; begins one where there is none, or one that does not tell all, or when the index
   * was begun anew. The index must not be older than the log (see catch-up.ts).
   */
  static async open(deps: RecoveryLogDeps & { newest: NewestLog | null }): Promise<RecoveryLog> {
    const { folder, db, newest } = deps
    await mkdir(folder.path, { recursive: true, mode: 0o700 })
    const { logs, backups } = folder.list()
    const highest = Math.max(0, ...logs, ...backups)
    const isEmpty = db.prepare('SELECT 1 FROM bucket').get() === undefined
    const lastCommit = new LastCommit(db)
    const { first, last } = lastCommit.range()
    // Of what the log lacks, the index has what can still be written.
    const tellsAll = newest !== null && first <= newest.end.commit + 1
    const written = tellsAll ? newest.end.commit : first - 1
    if (!tellsAll || isEmpty || newest.number !== highest) {
      const file = await open(folder.log(highest + 1), 'w+', 0o600)
      const start = { number: highest + 1, file, bytes: 0, written, hasGap: !isEmpty }
      const log = new RecoveryLog(deps, lastCommit, start)
      await log.#begin(isEmpty)
      log.#writeLeft(last)
      return log
    }
    const { number, end } = newest
    const file = await open(folder.log(number), 'r+')
    const hasGap = end.hasGap && !backups.some((backup) => backup >= number)
    const log = new RecoveryLog(deps, lastCommit, { number, file, bytes: end.bytes, written, hasGap })
    log.#tryTo(() => log.#cut())
    log.#writeLeft(last)
    return log
  }

  /**
   * Counts the commit in the index, and keeps there what is about to be written. Call it at the end of each transaction: what a program
   * that is killed between the two does not write is written at the next start.
   */
  announce(): void {
    this.#announced = this.#committed
    if (!this.changes.any) return
    this.#announced++
    this.#lastCommit.replaceBy({ first: this.#written + 1, last: this.#announced }, this.changes)
  }

  /** Writes what changed. Call it after each commit. What cannot be written now is written with the next change. */
  committed(): void {
    this.#committed = this.#announced
    this.#write()
  }

  /** Begins the next log and gives its number: all that came before is in the index by now. */
  async rotate(): Promise<number> {
    const number = this.#number + 1
    const file = await open(this.#folder.log(number), 'w+', 0o600)
    const before = this.#file
    this.#file = file
    this.#number = number
    this.#bytes = 0
    this.#isTorn = false
    try {
      await this.#begin(false)
      await before.sync()
    } finally {
      await before.close()
    }
    return number
  }

  async close(): Promise<void> {
    clearTimeout(this.#syncTimer)
    this.#write()
    await this.#file
      .sync()
      .catch((error: unknown) => this.#log.error({ err: error }, 'flushing the recovery log failed'))
    await this.#file.close()
  }

  async #begin(fromNothing: boolean): Promise<void> {
    const { hasGap } = this
    const commit = this.#written
    const storeId = this.#storeId
    this.#tryTo(() => this.#append([{ what: 'begin', storeId, atMs: this.#now(), fromNothing, commit, hasGap }]))
    await syncFolder(this.#folder.path)
  }

  /** Writes what a process before this one committed and did not write. */
  #writeLeft(last: number): void {
    if (last > this.#written) this.#lastCommit.addTo(this.changes)
    this.#write()
  }

  #write(): void {
    if (this.#committed === this.#written) return
    this.#tryTo(() => {
      const records = [...this.#rows.describe(this.changes, (error) => this.#sayUnreadable(error))]
      this.#append([...records, { what: 'commit', first: this.#written + 1, last: this.#committed }])
      this.#written = this.#committed
      this.changes.clear()
    })
  }

  #sayUnreadable(error: unknown): void {
    const what = 'a change cannot be written to the recovery log: the index cannot be read there'
    this.#log.error({ err: error }, what)
  }

  /** A full disk must keep nobody from making room. */
  #tryTo(write: () => void): void {
    try {
      write()
      this.#isFailing = false
    } catch (error) {
      if (!this.#isFailing) this.#log.error({ err: error }, 'the recovery log of the object store cannot be written')
      this.#isFailing = true
    }
  }

  #append(records: readonly RecoveryRecord[]): void {
    const bytes = Buffer.from(records.map(lineOf).join(''))
    this.#cut()
    this.#isTorn = true
    for (let done = 0; done < bytes.length; )
      done += writeSync(this.#file.fd, bytes, done, bytes.length - done, this.#bytes + done)
    this.#isTorn = false
    this.#bytes += bytes.length
    this.#syncTimer ??= setTimeout(() => this.#sync(), SYNC_AFTER_MS).unref()
  }

  /** Nothing is ever written behind what is torn: whoever reads it could not tell where the next line begins. */
  #cut(): void {
    if (this.#isTorn) ftruncateSync(this.#file.fd, this.#bytes)
    this.#isTorn = false
  }

  #sync(): void {
    this.#syncTimer = undefined
    this.#file.datasync().catch((error: unknown) => this.#log.error({ err: error }, 'flushing the recovery log failed'))
  }
}

export type RecoveryLogDeps = {
  folder: RecoveryFolder
  db: IndexDatabase
  storeId: string
  log: Logger
  now: () => number
}

/** SQL of what a log says of buckets and objects. */
class RecordedRows {
  readonly #bucketByName
  readonly #bucketById
  readonly #object
  readonly #extents
  readonly #parts

  constructor(db: IndexDatabase) {
    const bucketWhere = (condition: string) =>
      db.prepare<[string | number], Bucket>(
        `SELECT name, owner, created_at_ms AS createdAtMs, cors_json AS corsJson FROM bucket WHERE ${condition}`
      )
    this.#bucketByName = bucketWhere('name = ?')
    this.#bucketById = bucketWhere('id = ?')
    this.#object = db.prepare<[number, string], Omit<ObjectRow, 'bucketId' | 'key'>>(
      `SELECT rev, size_bytes AS sizeBytes, etag, last_modified_ms AS lastModifiedMs, sha256,
         checksum_algorithm AS checksumAlgorithm, checksum_type AS checksumType, checksum_value AS checksumValue,
         headers_json AS headersJson, metadata_json AS metadataJson, part_count AS partCount
       FROM object WHERE bucket_id = ? AND key = ?`
    )
    this.#extents = db.prepare<[string], RecordedObject['extents'][number]>(
      `SELECT blob_id AS blobId, offset_bytes AS offsetBytes, length_bytes AS lengthBytes, blob.size_bytes AS blobSizeBytes,
         blob.sha256 AS sha256, blob.md5 AS md5, blob.crc32c AS crc32c
       FROM extent JOIN blob ON blob.id = extent.blob_id WHERE object_rev = ? ORDER BY seq`
    )
    this.#parts = db.prepare<[string], NonNullable<RecordedObject['parts']>[number]>(
      `SELECT number, size_bytes AS sizeBytes, checksum FROM object_part WHERE object_rev = ? ORDER BY number`
    )
  }

  /** What a damaged index does not give back is told to `onUnreadable` and left out: it must not keep the rest from being written. */
  *describe(changes: Changes, onUnreadable: (error: unknown) => void): Generator<RecoveryRecord> {
    const records: (() => RecoveryRecord | null)[] = []
    for (const name of changes.buckets())
      records.push(() => ({ what: 'bucket', name, bucket: this.#bucketByName.get(name) ?? null }))
    for (const [bucketId, keys] of changes.objects())
      for (const key of keys) records.push(() => this.#objectRecord(bucketId, key))
    for (const read of records) {
      let record: RecoveryRecord | null = null
      try {
        record = read()
      } catch (error) {
        onUnreadable(error)
      }
      if (record) yield record
    }
  }

  /** Null for one of a bucket that is gone, whose own record says all. */
  #objectRecord(bucketId: number, key: string): RecoveryRecord | null {
    const bucket = this.#bucketById.get(bucketId)
    if (!bucket) return null
    return { what: 'object', bucket: bucket.name, owner: bucket.owner, key, object: this.#find(bucketId, key) }
  }

  #find(bucketId: number, key: string): RecordedObject | null {
    const row = this.#object.get(bucketId, key)
    if (!row) return null
    const { headersJson, metadataJson, partCount, ...facts } = row
    return {
      ...facts,
      headers: parseHeaders(headersJson),
      metadata: parseMetadata(metadataJson),
      parts: partCount === null ? null : this.#parts.all(row.rev),
      extents: this.#extents.all(row.rev)
    }
  }
}
