import { writeSync } from 'node:fs'
import { type FileHandle, mkdir, open } from 'node:fs/promises'
import type { Logger } from 'pino'
import { syncFolder } from '../../../files.ts'
import type { IndexDatabase } from '../index-database.ts'
import { type ObjectRow, parseHeaders, parseMetadata } from '../object-rows.ts'
import { Changes } from './changes.ts'
import type { RecoveryFolder } from './recovery-folder.ts'
import { lineOf, type RecordedObject, type RecoveryRecord } from './recovery-record.ts'

const SYNC_AFTER_MS = 1000

type Bucket = { name: string; owner: string; createdAtMs: number; corsJson: string | null }

/**
 * Writes down every change of the index a second time, outside of it: after each commit, before anybody is answered, how the buckets
 * and objects it touched are now. It costs no disk flush of its own: the file is flushed a second later, and is needed only
 * where the index, which was flushed, is lost as well.
 */
export class RecoveryLog {
  /** To be told of whatever a transaction changes. */
  readonly changes = new Changes()
  readonly #folder: RecoveryFolder
  readonly #log: Logger
  readonly #storeId: string
  readonly #now: () => number
  readonly #rows: RecordedRows
  readonly #unlogged: UnloggedRows
  #number: number
  #file: FileHandle
  /** The last line may be torn. */
  #torn: boolean
  #failing = false
  #syncTimer: NodeJS.Timeout | undefined

  private constructor(parts: RecoveryLogDeps & { number: number; file: FileHandle; torn: boolean }) {
    this.#folder = parts.folder
    this.#log = parts.log
    this.#storeId = parts.storeId
    this.#now = parts.now
    this.#rows = new RecordedRows(parts.db)
    this.#unlogged = new UnloggedRows(parts.db)
    this.#number = parts.number
    this.#file = parts.file
    this.#torn = parts.torn
  }

  /** Goes on with the newest log; begins one when there is none, or when the index was begun anew. */
  static async open(deps: RecoveryLogDeps): Promise<RecoveryLog> {
    const { folder, db } = deps
    await mkdir(folder.path, { recursive: true, mode: 0o700 })
    const { logs, backups } = folder.list()
    const newest = Math.max(0, ...logs, ...backups)
    const isEmpty = db.prepare('SELECT 1 FROM bucket').get() === undefined
    const goesOn = newest > 0 && !isEmpty
    const number = goesOn ? newest : newest + 1
    const file = await open(folder.log(number), 'a', 0o600)
    const isNew = (await file.stat()).size === 0
    const log = new RecoveryLog({ ...deps, number, file, torn: !isNew })
    if (isNew) await log.#begin(isEmpty)
    log.#unlogged.addTo(log.changes)
    log.write()
    return log
  }

  /**
   * Keeps in the index what is about to be written. Call it at the end of each transaction: a program that is killed between the two
   * writes it at the next start.
   */
  announce(): void {
    if (this.changes.any) this.#unlogged.replaceBy(this.changes)
  }

  /** Writes what changed. Call it after each commit. What cannot be written now is written with the next change. */
  write(): void {
    if (!this.changes.any) return
    this.#tryTo(() => {
      this.#append([
        ...this.#rows.describe(this.changes, (error) =>
          this.#log.error(
            { err: error },
            'a change cannot be written to the recovery log: the index cannot be read there'
          )
        )
      ])
      this.changes.clear()
    })
  }

  /** Begins the next log and gives its number: all that came before is in the index by now. */
  async rotate(): Promise<number> {
    const number = this.#number + 1
    const file = await open(this.#folder.log(number), 'a', 0o600)
    const before = this.#file
    this.#file = file
    this.#number = number
    this.#torn = false
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
    this.write()
    await this.#file
      .sync()
      .catch((error: unknown) => this.#log.error({ err: error }, 'flushing the recovery log failed'))
    await this.#file.close()
  }

  async #begin(fromNothing: boolean): Promise<void> {
    this.#tryTo(() => this.#append([{ what: 'begin', storeId: this.#storeId, atMs: this.#now(), fromNothing }]))
    await syncFolder(this.#folder.path)
  }

  /** A full disk must keep nobody from making room. */
  #tryTo(append: () => void): void {
    try {
      append()
      this.#failing = false
    } catch (error) {
      this.#torn = true
      if (!this.#failing) this.#log.error({ err: error }, 'the recovery log of the object store cannot be written')
      this.#failing = true
    }
  }

  #append(records: readonly RecoveryRecord[]): void {
    const bytes = Buffer.from((this.#torn ? '\n' : '') + records.map(lineOf).join(''))
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#file.fd, bytes, done)
    this.#torn = false
    this.#syncTimer ??= setTimeout(() => this.#sync(), SYNC_AFTER_MS).unref()
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

/** SQL of the changes that the log may lack. */
class UnloggedRows {
  readonly #all
  readonly #clear
  readonly #insert

  constructor(db: IndexDatabase) {
    this.#all = db.prepare<[], { bucket: string | null; bucketId: number; key: string }>(
      `SELECT bucket, bucket_id AS bucketId, key FROM unlogged`
    )
    this.#clear = db.prepare<[]>(`DELETE FROM unlogged`)
    this.#insert = db.prepare<[string | null, number | null, string | null]>(`INSERT INTO unlogged VALUES (?, ?, ?)`)
  }

  replaceBy(changes: Changes): void {
    this.#clear.run()
    for (const name of changes.buckets()) this.#insert.run(name, null, null)
    for (const [bucketId, keys] of changes.objects()) for (const key of keys) this.#insert.run(null, bucketId, key)
  }

  addTo(changes: Changes): void {
    for (const { bucket, bucketId, key } of this.#all.iterate())
      if (bucket !== null) changes.bucket(bucket)
      else changes.object(bucketId, key)
  }
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
