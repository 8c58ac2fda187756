import { cp, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { pino } from 'pino'
import { createStorageEngine } from '../../src/daemon/embedded-store/engine/create-storage-engine.ts'
import { rebuildIndex } from '../../src/daemon/embedded-store/engine/recovery/rebuild-index.ts'
import { type StorageEngine, StorageError } from '../../src/daemon/embedded-store/engine/storage-engine.ts'
import { isSame, tell, type Version } from './key-history.ts'
import { BUCKET, type StoreLoad } from './store-load.ts'

/**
 * Lets a copy of a killed store lose its index, makes that anew, and holds what it has then against what may be there. Gives what
 * should not be. Uploads in progress are not brought back.
 */
export async function verifyRebuilt(directory: string, load: StoreLoad): Promise<string[]> {
  const copy = `${directory}-rebuilt`
  await mkdir(copy)
  try {
    for (const name of ['store.json', 'recovery', 'blobs'])
      await cp(join(directory, name), join(copy, name), { recursive: true })
    const { isGapless, damaged } = await rebuildIndex(copy)
    const problems = damaged.map(({ key }) => `${key}: named by the index that was made anew, without its bytes`)
    if (!isGapless) problems.push('the logs of the index have a gap')
    const engine = await createStorageEngine({
      directory: copy,
      log: pino({ level: 'silent' }),
      reserveBytes: 0,
      ballastBytes: 0
    })
    try {
      for (const [key, history] of load.histories) {
        const found = await read(engine, key)
        if (!history.possible().some((version) => isSame(version, found)))
          problems.push(
            `${key}: with an index made anew there is ${tell(found)}, but there should be ${history.tell()}`
          )
      }
    } finally {
      await engine.close()
    }
    return problems
  } finally {
    await rm(copy, { recursive: true, force: true })
  }
}

async function read(engine: StorageEngine, key: string): Promise<Version> {
  try {
    const handle = await engine.openObject(BUCKET, key)
    try {
      const { etag, headers, metadata } = handle.info
      const contentType = headers['content-type'] ?? ''
      return { bytes: await buffer(handle.read()), etag, contentType, stamp: metadata['stamp'] ?? '' }
    } finally {
      handle.close()
    }
  } catch (error) {
    if (error instanceof StorageError && (error.code === 'NoSuchKey' || error.code === 'NoSuchBucket')) return null
    throw error
  }
}
