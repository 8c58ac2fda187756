import { createReadStream, type ReadStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { Activity } from '../engine/activity.ts'
import { BlobFiles } from '../engine/blob-files.ts'
import { BodyStaging, StagedBody } from '../engine/body-writer.ts'
import { SpaceLedger, volumeSpace } from '../engine/space-ledger.ts'
import type { BodyDigests, BodyWriter, OpenBodyRequest } from '../engine/storage-engine.ts'

/** Bodies that are whole, hashed and durable on this disk, while they go on to the store behind the gateway. */
export class Spool {
  readonly #files: BlobFiles
  readonly #staging: BodyStaging
  readonly #activity = new Activity()

  private constructor(directory: string, reserveBytes: number | undefined) {
    this.#files = new BlobFiles(directory)
    const space = () => volumeSpace(directory)
    const ledger = new SpaceLedger({ space, reserveBytes, ballast: { missingBytes: 0 }, now: Date.now })
    this.#staging = new BodyStaging({
      files: this.#files,
      ledger,
      activity: this.#activity,
      hooks: {},
      hashWorkers: undefined,
      onWrite: () => {}
    })
  }

  /** Begins with nothing: whatever an earlier run left was never acknowledged. `reserveBytes`: as for the engine. */
  static async open(directory: string, reserveBytes?: number): Promise<Spool> {
    await rm(join(directory, 'blobs'), { recursive: true, force: true })
    await mkdir(directory, { recursive: true })
    const spool = new Spool(directory, reserveBytes)
    await spool.#files.prepare()
    return spool
  }

  /** See `StorageEngine.openBody`. */
  openBody(request: OpenBodyRequest): Promise<BodyWriter> {
    return this.#staging.open(request)
  }

  /** Hands a finished body on, and forgets it when that is done or has failed. `read` gives its bytes from the beginning. */
  async handOn<T>(body: BodyWriter, send: (body: BodyDigests & { read: () => Readable }) => Promise<T>): Promise<T> {
    if (!(body instanceof StagedBody)) throw new Error('The body was opened by another storage.')
    const end = this.#activity.begin()
    try {
      const { id, ...digests } = await body.publish()
      const streams: ReadStream[] = []
      const read = () => {
        const stream = createReadStream(this.#files.path(id))
        streams.push(stream)
        return stream
      }
      try {
        return await send({ ...digests, read })
      } finally {
        // Of a sending that failed nobody else ends the stream.
        await Promise.all(streams.map(closed))
        await this.#files.remove(id)
      }
    } finally {
      end()
    }
  }

  async close(): Promise<void> {
    this.#activity.close()
    await this.#staging.discardAll()
    await this.#activity.idle()
  }
}

/** Resolves when the file of the stream is closed, however much of it was read. */
async function closed(stream: ReadStream): Promise<void> {
  if (stream.closed) return
  await new Promise<void>((resolve) => {
    stream.once('close', () => resolve()).once('error', () => {})
    stream.destroy()
  })
}
