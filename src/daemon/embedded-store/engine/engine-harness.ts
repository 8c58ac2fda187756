import { createHash } from 'node:crypto'
import { mkdtemp, open, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { Readable } from 'node:stream'
import { pino } from 'pino'
import { createStorageEngine, type OpenStorageEngine, type StorageEngineOptions } from './create-storage-engine.ts'
import type { BodyWriter, ByteRange, ObjectInfo, OpenBodyRequest, PutObjectRequest } from './storage-engine.ts'

export const BUCKET = 'media'
export const OWNER = 'owner-1'

/** A real engine in a temporary directory, for tests. */
export class EngineHarness {
  readonly directory: string
  readonly #options: Partial<StorageEngineOptions>
  engine: OpenStorageEngine

  private constructor(directory: string, options: Partial<StorageEngineOptions>, engine: OpenStorageEngine) {
    this.directory = directory
    this.#options = options
    this.engine = engine
  }

  /** Opens an engine with the bucket `media`. */
  static async open(options: Partial<StorageEngineOptions> = {}): Promise<EngineHarness> {
    const directory = await mkdtemp(join(tmpdir(), 'flightcase-engine-'))
    const harness = new EngineHarness(directory, options, await openEngine(directory, options))
    await harness.engine.createBucket({ name: BUCKET, owner: OWNER })
    return harness
  }

  async reopen(options: Partial<StorageEngineOptions> = {}): Promise<void> {
    await this.engine.close()
    this.engine = await openEngine(this.directory, { ...this.#options, ...options })
  }

  async dispose(): Promise<void> {
    await this.engine.close()
    await rm(this.directory, { recursive: true, force: true })
  }

  /** Names of the payload files on disk. */
  async blobFiles(): Promise<string[]> {
    return (await this.blobPaths()).map((path) => basename(path))
  }

  /** Paths of the payload files. */
  async blobPaths(): Promise<string[]> {
    const entries = await readdir(join(this.directory, 'blobs'), { recursive: true, withFileTypes: true })
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  }

  /** A finished body of these bytes. */
  async body(bytes: Uint8Array, request: Partial<OpenBodyRequest> = {}): Promise<BodyWriter> {
    const body = await this.engine.openBody({ sizeBytes: bytes.length, ...request })
    await body.write(bytes)
    await body.finish()
    return body
  }

  async put(
    key: string,
    bytes: Uint8Array | string,
    request: Partial<Omit<PutObjectRequest, 'body' | 'key'>> = {}
  ): Promise<ObjectInfo> {
    const body = await this.body(Buffer.from(bytes))
    return this.engine.putObject({ bucket: BUCKET, key, body, ...request })
  }

  async get(key: string, range?: ByteRange, bucket = BUCKET): Promise<Buffer> {
    const handle = await this.engine.openObject(bucket, key)
    try {
      return await bytesOf(handle.read(range))
    } finally {
      handle.close()
    }
  }

  /** Every entry name of a listing, page by page. */
  async listAll(
    request: { prefix?: string; delimiter?: string; limit?: number; bucket?: string } = {}
  ): Promise<string[]> {
    const names: string[] = []
    let after: string | undefined
    for (;;) {
      const page = await this.engine.listObjects({ bucket: BUCKET, limit: 1000, ...request, after })
      for (const entry of page.entries) names.push('prefix' in entry ? entry.prefix : entry.object.key)
      if (page.next === null) return names
      after = page.next
    }
  }
}

export async function bytesOf(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

/** Changes one bit of a file; a second call undoes it. */
export async function flipBit(path: string, position = 3): Promise<void> {
  const file = await open(path, 'r+')
  const byte = Buffer.alloc(1)
  await file.read(byte, 0, 1, position)
  byte.writeUInt8(byte.readUInt8() ^ 1)
  await file.write(byte, 0, 1, position)
  await file.close()
}
export const md5 = (bytes: Uint8Array | string) => createHash('md5').update(bytes).digest('hex')
export const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex')

function openEngine(directory: string, options: Partial<StorageEngineOptions>): Promise<OpenStorageEngine> {
  return createStorageEngine({
    directory,
    log: pino({ level: 'silent' }),
    reserveBytes: 0,
    ballastBytes: 0,
    ...options
  })
}
