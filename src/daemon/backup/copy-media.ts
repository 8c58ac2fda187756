import { existsSync } from 'node:fs'
import { readdir, stat, utimes } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import Sqlite from 'better-sqlite3'
import { type Fault, faultOfError, WRONG_BYTES } from '../embedded-store/engine/blob-check.ts'
import { BlobFiles } from '../embedded-store/engine/blob-files.ts'
import { namelessFiles, objectsInFiles } from '../embedded-store/engine/recovery/files-and-rows.ts'
import type { DamageFound, Unchecked } from '../embedded-store/engine/recovery/verify-store.ts'
import { StartupError } from '../errors.ts'
import { freeBytesOfDisk, isFileError, isMissingFile, syncFolder } from '../files.ts'
import { copyFileWhole, UnreadableSource } from './copy-file.ts'

const READ_ONLY = 0o400
/** File systems of memory sticks count in steps of two seconds. */
const SAME_TIME_MS = 2000

export type Copied = { files: number; bytes: number }
export type CopiedPayload = {
  copied: Copied
  /** Not copied, but for what is left of those with other bytes, in `quarantine/`. */
  damaged: DamageFound[]
  /** Not copied. */
  unchecked: Unchecked[]
  /** Files in the backup that its index does not know: of media that was deleted since. They are kept. */
  left: Copied
}
type Blob = { id: string; sizeBytes: number; sha256: string }

/** Copies the payload files that an index names and that are not there yet. */
export async function copyPayload(indexPath: string, fromStore: string, toStore: string): Promise<CopiedPayload> {
  const [from, to] = [new BlobFiles(fromStore), new BlobFiles(toStore)]
  const db = new Sqlite(indexPath, { readonly: true })
  try {
    const result: CopiedPayload = {
      copied: { files: 0, bytes: 0 },
      damaged: [],
      unchecked: [],
      left: { files: 0, bytes: 0 }
    }
    const wanted = await missingIn(to, db)
    await assertRoom(toStore, wanted)
    const objectsIn = objectsInFiles(db)
    const folders = new Set<string>()
    for (const blob of wanted) {
      const told = () => ({ path: from.path(blob.id), objects: objectsIn(blob.id) })
      try {
        const fault = await copyBlob(from, to, blob)
        if (fault !== null) {
          result.damaged.push({ what: fault.what, ...told() })
          continue
        }
      } catch (error) {
        if (!(error instanceof UnreadableSource && isFileError(error.cause))) throw error
        result.unchecked.push({ reason: error.cause.code, ...told() })
        continue
      }
      count(result.copied, blob.sizeBytes)
      const folder = dirname(to.path(blob.id))
      for (const path of [folder, dirname(folder)]) folders.add(path)
    }
    for (const folder of folders) await syncFolder(folder)
    if (await to.hasAny()) for await (const file of namelessFiles(db, to)) count(result.left, file.sizeBytes)
    return result
  } finally {
    db.close()
  }
}

async function missingIn(to: BlobFiles, db: Sqlite.Database): Promise<Blob[]> {
  const blobs = db
    .prepare<[], Blob>('SELECT id, size_bytes AS sizeBytes, sha256 FROM blob WHERE refcount > 0 ORDER BY id')
    .all()
  const missing: Blob[] = []
  for (const blob of blobs) if ((await to.sizeOf(blob.id)) !== blob.sizeBytes) missing.push(blob)
  return missing
}

async function assertRoom(folder: string, wanted: readonly Blob[]): Promise<void> {
  const neededBytes = wanted.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const freeBytes = await freeBytesOfDisk(folder)
  if (neededBytes < freeBytes) return
  throw new StartupError(
    'backup_disk_full',
    `The media needs ${neededBytes} bytes more, and the disk of ${folder} has ${freeBytes}. An earlier backup there is as it was.`
  )
}

/**
 * Copies a file that holds the bytes that were written. What is left of another one goes into `quarantine/`, since it may be all there is:
 * under its own name no later backup would look at it again. Raises `UnreadableSource` where nothing can be said about its bytes.
 */
async function copyBlob(from: BlobFiles, to: BlobFiles, { id, sha256 }: Blob): Promise<Fault | null> {
  const [path, aside] = [to.path(id), to.quarantinePath(id)]
  try {
    // Twice: once may have been the cable or the memory.
    for (const otherwise of [null, existsSync(aside) ? null : aside]) {
      const found = await copyFileWhole(from.path(id), path, READ_ONLY, (read) => (read === sha256 ? path : otherwise))
      if (found !== sha256) continue
      await to.releaseQuarantine(id)
      return null
    }
    return WRONG_BYTES
  } catch (error) {
    const fault = error instanceof UnreadableSource ? faultOfError(error.cause) : null
    if (fault === null) throw error
    return fault
  }
}

/** Copies the files of a folder that are new or changed; those that vanish meanwhile are left out. */
export async function copyFolder(from: string, to: string): Promise<Copied> {
  const copied = { files: 0, bytes: 0 }
  const entries = await readdir(from, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    if (isMissingFile(error)) return []
    throw error
  })
  for (const entry of entries) {
    if (!entry.isFile()) continue
    const source = join(entry.parentPath, entry.name)
    const target = join(to, relative(from, source))
    const [now, before] = [await statOf(source), await statOf(target)]
    if (!now || (now.size === before?.size && Math.abs(now.mtimeMs - before.mtimeMs) < SAME_TIME_MS)) continue
    try {
      await copyFileWhole(source, target, 0o600)
    } catch (error) {
      if (error instanceof UnreadableSource && isMissingFile(error.cause)) continue
      throw error
    }
    await utimes(target, now.atime, now.mtime)
    count(copied, now.size)
  }
  return copied
}

async function statOf(path: string) {
  return stat(path).catch((error: unknown) => {
    if (isMissingFile(error)) return null
    throw error
  })
}

function count(sum: Copied, bytes: number): void {
  sum.files++
  sum.bytes += bytes
}
