import { createHash, type Hash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { pipeline } from 'node:stream/promises'

const CHUNK_BYTES = 1024 ** 2

/** The file to be copied is missing or cannot be read; the cause says which. */
export class UnreadableSource extends Error {
  constructor(path: string, cause: unknown) {
    super(`${path} cannot be read.`, { cause })
    this.name = 'UnreadableSource'
  }
}

/**
 * Copies a file under its name only once it is whole and flushed (its folder is not), and gives the sha256 of what was read, by which
 * `nameFor` may choose another name, or none (null). Raises `UnreadableSource`, and the file system's errors of the target.
 */
export async function copyFileWhole(
  from: string,
  to: string,
  mode: number,
  nameFor: (sha256: string) => string | null = () => to
): Promise<string> {
  await mkdir(dirname(to), { recursive: true, mode: 0o700 })
  const draft = `${to}.new`
  // One that a kill left behind may be read-only.
  await rm(draft, { force: true })
  const hash = createHash('sha256')
  try {
    await pipeline(bytesOf(from, hash), createWriteStream(draft, { mode, flush: true }))
    const sha256 = hash.digest('hex')
    const name = nameFor(sha256)
    if (name !== null) {
      await mkdir(dirname(name), { recursive: true, mode: 0o700 })
      await rename(draft, name)
    }
    return sha256
  } finally {
    await rm(draft, { force: true })
  }
}

async function* bytesOf(path: string, hash: Hash): AsyncGenerator<Buffer> {
  const source = createReadStream(path, { highWaterMark: CHUNK_BYTES })
  try {
    for await (const chunk of source) {
      hash.update(chunk)
      yield chunk
    }
  } catch (error) {
    throw new UnreadableSource(path, error)
  }
}
