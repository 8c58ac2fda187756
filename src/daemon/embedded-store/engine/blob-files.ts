import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { chmod, type FileHandle, link, mkdir, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isMissingFile, syncFile, syncFolder } from '../../files.ts'
import { newId } from '../../ids.ts'

const BLOB_ID = /^[0-9a-z]{26}$/
/** A guard against accidents; nothing depends on it. Windows flushes only what it may write to, so there it comes last. */
const READ_ONLY = 0o400
const READ_ONLY_FROM_START = process.platform !== 'win32'

/**
 * The payload files: `staging/<id>.tmp` while a body arrives, `blobs/<aa>/<bb>/<id>` once it is whole. Names are opaque; which
 * object they belong to is the index's knowledge alone. Also counts readers, so that no file is removed under one.
 */
export class BlobFiles {
  readonly #stagingDirectory: string
  readonly #blobsDirectory: string
  readonly #quarantineDirectory: string
  readonly #readers = new Map<string, number>()
  /** Blobs whose file has no row, or will turn out to have none: it is to be removed then. */
  readonly strays = new Set<string>()
  /** Directories whose own entries may not be durable. */
  readonly #unsynced = new Set<string>()
  /** Outer directories with nothing left in them that a process before this one made and was killed before it was durable. */
  readonly #settled = new Set<string>()

  constructor(directory: string) {
    this.#stagingDirectory = join(directory, 'staging')
    this.#blobsDirectory = join(directory, 'blobs')
    this.#quarantineDirectory = join(directory, 'quarantine')
  }

  /** Makes the directories and removes what earlier runs left in staging: none of it was ever acknowledged. */
  async prepare(): Promise<void> {
    await rm(this.#stagingDirectory, { recursive: true, force: true })
    await mkdir(this.#stagingDirectory, { recursive: true })
    await mkdir(this.#blobsDirectory, { recursive: true })
    await syncFolder(dirname(this.#blobsDirectory))
  }

  /** Opens a new staging file for writing. */
  async stage(): Promise<{ id: string; path: string; file: FileHandle }> {
    const id = newId()
    const path = join(this.#stagingDirectory, `${id}.tmp`)
    return { id, path, file: await open(path, 'wx', READ_ONLY_FROM_START ? READ_ONLY : 0o600) }
  }

  /** Where the blob is. Ids of one time share their beginning, so the directories come from a hash of the id. */
  path(blobId: string): string {
    const hash = createHash('sha1').update(blobId).digest('hex')
    return join(this.#blobsDirectory, hash.slice(0, 2), hash.slice(2, 4), blobId)
  }

  /** Where the blob's second name is, once it was found to be damaged. */
  quarantinePath(blobId: string): string {
    return join(this.#quarantineDirectory, blobId)
  }

  /** Gives a synced staging file its place, durably. Until a row names it, it is an orphan. */
  async publish(stagingPath: string, blobId: string): Promise<void> {
    const target = this.path(blobId)
    const directory = dirname(target)
    this.#make(directory)
    await rename(stagingPath, target)
    // Whoever made a directory may still be syncing it, or have failed to: everyone who relies on its entry syncs that, too.
    const fresh = [directory, dirname(directory)].filter((path) => this.#unsynced.has(path))
    // Together, so that a journaling file system can serve them with one flush.
    await Promise.all([directory, ...fresh.map((path) => dirname(path))].map((path) => syncFolder(path)))
    for (const path of fresh) this.#unsynced.delete(path)
    this.#settled.add(dirname(directory))
    // There the folders cannot be flushed, the renamed file is instead.
    if (process.platform === 'win32') await syncFile(target)
    if (!READ_ONLY_FROM_START) await chmod(target, READ_ONLY)
  }

  /** At once, so that nobody finds a directory before it is known to be new. */
  #make(directory: string): void {
    const outer = dirname(directory)
    const created = mkdirSync(directory, { recursive: true })
    if (created === undefined && this.#settled.has(outer)) return
    this.#unsynced.add(directory)
    if (created !== directory) this.#unsynced.add(outer)
  }

  /**
   * Size of the blob's file, or null when it is gone. Asked at every HEAD; handing it to another thread costs ten times the
   * call itself, and the index on the same volume is read in place, too.
   */
  async sizeOf(blobId: string): Promise<number | null> {
    try {
      return statSync(this.path(blobId), { throwIfNoEntry: false })?.size ?? null
    } catch (error) {
      if (isMissingFile(error)) return null
      throw error
    }
  }

  /** Removes the file; a missing one is fine. */
  async remove(blobId: string): Promise<void> {
    await removeFile(this.path(blobId))
  }

  /**
   * Gives the file a second name in `quarantine/`, where it stays when the object goes: what is left of damaged bytes may be all
   * there is. A name takes no room, and nothing has to be read from a bad disk. A missing file, or one that is there, is fine.
   */
  async quarantine(blobId: string): Promise<void> {
    await mkdir(this.#quarantineDirectory, { recursive: true, mode: 0o700 })
    try {
      await link(this.path(blobId), this.quarantinePath(blobId))
    } catch (error) {
      if (!isMissingFile(error) && !isExistingFile(error)) throw error
    }
  }

  /** Takes back {@link quarantine}. */
  async releaseQuarantine(blobId: string): Promise<void> {
    await removeFile(this.quarantinePath(blobId))
  }

  /** Every blob with a file on disk. Foreign files are left out. */
  async *walk(): AsyncGenerator<string> {
    for (const outer of await foldersIn(this.#blobsDirectory))
      for (const inner of await foldersIn(outer))
        for (const blobId of await readdir(inner)) if (BLOB_ID.test(blobId)) yield blobId
  }

  /** Whether there is any payload file, also before {@link prepare}. */
  async hasAny(): Promise<boolean> {
    if (!existsSync(this.#blobsDirectory)) return false
    for await (const _ of this.walk()) return true
    return false
  }

  /** When the blob's file was changed last, epoch milliseconds; null when it is gone. */
  async changedAtMs(blobId: string): Promise<number | null> {
    try {
      return (await stat(this.path(blobId))).mtimeMs
    } catch (error) {
      if (isMissingFile(error)) return null
      throw error
    }
  }

  /** Holds blobs against removal until the returned function is called (once or more). */
  hold(blobIds: readonly string[]): () => void {
    for (const id of blobIds) this.#readers.set(id, (this.#readers.get(id) ?? 0) + 1)
    let held = true
    return () => {
      if (!held) return
      held = false
      for (const id of blobIds) {
        const left = (this.#readers.get(id) ?? 0) - 1
        if (left > 0) this.#readers.set(id, left)
        else this.#readers.delete(id)
      }
    }
  }

  /** How many blobs are held. */
  get heldCount(): number {
    return this.#readers.size
  }

  isHeld(blobId: string): boolean {
    return this.#readers.has(blobId)
  }
}

async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (!isMissingFile(error)) throw error
  }
}

function isExistingFile(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST'
}

/** Desktops leave files of their own beside ours. */
async function foldersIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(directory, name))
}
