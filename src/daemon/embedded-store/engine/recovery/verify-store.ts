import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { isFileError } from '../../../files.ts'
import { type Fault, faultOf, faultOfSize } from '../blob-check.ts'
import { BlobFiles } from '../blob-files.ts'
import type { IndexDatabase } from '../index-database.ts'
import { type NamelessFile, namelessFiles, objectsInFiles } from './files-and-rows.ts'
import { IndexThread } from './index-thread.ts'

const PAGE = 256
/** What a running base has written but not named for so long is no upload under way. */
const UNDER_WAY_MS = 3_600_000

/** A payload file that something is to be told of. */
type Told = {
  path: string
  /** The objects that lie in the file; none: it is a part of an unfinished upload. */
  objects: { bucket: string; key: string }[]
}
export type DamageFound = Told & { what: Fault['what'] }
/** It may be whole: the system did not let anybody look, for a reason in its words. */
export type Unchecked = Told & { reason: string }

export type VerifyReport = {
  /** Whether every byte was read. */
  deep: boolean
  objects: number
  files: number
  bytes: number
  /** What is wrong with the index itself. If anything, the files may not all have been looked at. */
  indexProblems: string[]
  damaged: DamageFound[]
  unchecked: Unchecked[]
  /** Payload files that the index does not know. */
  nameless: NamelessFile[]
}

type BlobFacts = { id: string; sizeBytes: number; sha256: string }

/**
 * Compares the index of the store in a directory with the payload files, and with `deep` all bytes with what was written. Changes nothing, and
 * may be called while the store is in use; `isInUse` leaves out what is just being written then.
 */
export async function verifyStore(
  directory: string,
  options: { deep: boolean; isInUse: boolean; onProgress?: (doneBytes: number) => void }
): Promise<VerifyReport> {
  const report: VerifyReport = {
    deep: options.deep,
    objects: 0,
    files: 0,
    bytes: 0,
    indexProblems: await indexProblems(join(directory, 'index.db'), options.deep),
    damaged: [],
    unchecked: [],
    nameless: []
  }
  if (report.indexProblems.length > 0) return report
  const db = new Sqlite(join(directory, 'index.db'), { readonly: true, fileMustExist: true, timeout: 5000 })
  try {
    await compare(db, new BlobFiles(directory), options, report)
  } finally {
    db.close()
  }
  return report
}

async function indexProblems(path: string, deep: boolean): Promise<string[]> {
  if (!existsSync(path)) return [`${path} is missing`]
  if (statSync(path).size === 0) return [`${path} is empty`]
  return new IndexThread().check(path, deep ? 'thorough' : 'quick')
}

async function compare(
  db: IndexDatabase,
  files: BlobFiles,
  { deep, isInUse, onProgress = () => {} }: Parameters<typeof verifyStore>[1],
  report: VerifyReport
): Promise<void> {
  report.objects = db.prepare<[], number>('SELECT COUNT(*) FROM object').pluck().get() ?? 0
  const page = db.prepare<[string, number], BlobFacts>(
    'SELECT id, size_bytes AS sizeBytes, sha256 FROM blob WHERE id > ? AND refcount > 0 ORDER BY id LIMIT ?'
  )
  const isNeeded = db.prepare<[string]>('SELECT 1 FROM blob WHERE id = ? AND refcount > 0')
  const objectsIn = objectsInFiles(db)
  for (let rows = page.all('', PAGE); rows.length > 0; rows = page.all(rows.at(-1)?.id ?? '', PAGE))
    for (const blob of rows) {
      const path = files.path(blob.id)
      try {
        const fault = deep ? await faultOf(path, blob) : faultOfSize(await files.sizeOf(blob.id), blob)
        // Its object may have been deleted since the page was read.
        if (fault !== null && isNeeded.get(blob.id))
          report.damaged.push({ what: fault.what, path, objects: objectsIn(blob.id) })
      } catch (error) {
        if (!isFileError(error)) throw error
        report.unchecked.push({ path, objects: objectsIn(blob.id), reason: error.code })
      }
      report.files++
      report.bytes += blob.sizeBytes
      onProgress(report.bytes)
    }
  for await (const file of namelessFiles(db, files))
    if (!isInUse || file.changedAtMs < Date.now() - UNDER_WAY_MS) report.nameless.push(file)
}
