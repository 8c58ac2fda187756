import { type FileHandle, mkdir, open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { isMissingFile, syncFolder } from '../../files.ts'
import { ObjectStoreError } from '../../object-store/object-store.ts'

/** Files with the bytes of uploads that do not fill a part yet; one for each upload, named by its id. */
export class UploadTails {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Opens the tail of an upload (an empty one if there is none) with its first `sizeBytes` bytes; what lies behind was never durable. */
  async open(uploadId: string, sizeBytes: number): Promise<UploadTail> {
    await mkdir(this.#folder, { recursive: true })
    const path = join(this.#folder, uploadId)
    const isNew = (await sizeOf(path)) === null
    const file = await open(path, isNew ? 'w+' : 'r+')
    try {
      await file.truncate(sizeBytes)
      if (isNew) await syncFolder(this.#folder)
      return new UploadTail(file, sizeBytes)
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /** How many bytes lie there; 0 when nothing does. */
  async sizeOf(uploadId: string): Promise<number> {
    return (await sizeOf(join(this.#folder, uploadId))) ?? 0
  }

  /** One that is gone is fine. */
  async remove(uploadId: string): Promise<void> {
    await rm(join(this.#folder, uploadId), { force: true })
  }

  /** Upload ids. */
  async list(): Promise<string[]> {
    try {
      return await readdir(this.#folder)
    } catch (error) {
      if (isMissingFile(error)) return []
      throw error
    }
  }
}

/** A tail that is being written to. Close it. */
export class UploadTail {
  readonly #file: FileHandle
  #sizeBytes: number
  #isSynced = true

  constructor(file: FileHandle, sizeBytes: number) {
    this.#file = file
    this.#sizeBytes = sizeBytes
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** Durable only after {@link sync}. Raises `ObjectStoreError('StorageFull')`. */
  async append(bytes: Uint8Array): Promise<void> {
    this.#isSynced = false
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = await this.#file
        .write(bytes, at, bytes.length - at, this.#sizeBytes)
        .catch(storageProblem)
      at += bytesWritten
      this.#sizeBytes += bytesWritten
    }
  }

  async sync(): Promise<void> {
    if (this.#isSynced) return
    await this.#file.sync().catch(storageProblem)
    this.#isSynced = true
  }

  /** All its bytes. Whoever gives up reading them leaves the tail open, unlike with a stream of the file's own. */
  read(): Readable {
    return Readable.from(this.#chunks(), { objectMode: false })
  }

  /** Makes it empty: the bytes are durable elsewhere. */
  async clear(): Promise<void> {
    await this.#file.truncate(0)
    this.#sizeBytes = 0
    this.#isSynced = true
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  async *#chunks(): AsyncGenerator<Buffer> {
    for (let at = 0; at < this.#sizeBytes; ) {
      const room = Buffer.allocUnsafe(Math.min(READ_BYTES, this.#sizeBytes - at))
      const { bytesRead } = await this.#file.read(room, 0, room.length, at)
      if (bytesRead === 0) throw new Error('the tail of an upload is shorter than it was')
      yield room.subarray(0, bytesRead)
      at += bytesRead
    }
  }
}

const READ_BYTES = 1024 ** 2

async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (isMissingFile(error)) return null
    throw error
  }
}

function storageProblem(error: NodeJS.ErrnoException): never {
  if (error.code === 'ENOSPC' || error.code === 'EDQUOT')
    throw new ObjectStoreError('StorageFull', 'There is no room for the beginning of a part.', { cause: error })
  throw error
}
