import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { systemClock } from '../../clock.ts'
import { newId } from '../../ids.ts'
import { ObjectKeys } from '../../object-keys.ts'
import { BlobKeeper } from './blob-keeper.ts'
import { K, openBench } from './ingest-bench.ts'

const sha256 = createHash('sha256').update('same').digest('hex')

test.each(['local', 's3'] as const)(
  'bytes that a controller sent are kept where it cannot overwrite them once an application has them, too: %s',
  async (kind) => {
    const bench = await openBench(kind)
    const { db, ingest, rows } = bench.base
    const keeper = new BlobKeeper({ store: bench.store, ...rows, ingest, clock: systemClock })
    await bench.put(K, 'same')
    await bench.record('F1')
    await bench.base.settle()
    const blobId = newId()
    const key = new ObjectKeys().pinned(blobId, 'a.JPG', systemClock.nowMs())
    const { etag, sizeBytes } = await bench.put(key, 'same')
    const known = await keeper.findWhole(sha256)
    const kept = db.transaction(() => keeper.keep({ blobId, key, etag, sizeBytes, sha256 }, known))
    expect(kept).toEqual({ blobId: known!.id, isDuplicate: true })
    await bench.base.settle()
    await bench.put(K, 'the next card')
    expect(await bench.bytes(bench.assets()[0]!.id)).toBe('same')
    const places = (await bench.store.list()).objects.map((object) => object.key).filter((place) => place !== K)
    expect(places).toHaveLength(1)
  }
)

test('bytes whose known place lost them are kept at the new one', async () => {
  const bench = await openBench('local')
  const { db, ingest, rows } = bench.base
  const keeper = new BlobKeeper({ store: bench.store, ...rows, ingest, clock: systemClock })
  await bench.put(K, 'same')
  await bench.record('F1')
  await bench.base.settle()
  await bench.store.delete(bench.blobs()[0]!.key)
  const blobId = newId()
  const key = new ObjectKeys().pinned(blobId, 'a.JPG', systemClock.nowMs())
  const stored = {
    blobId,
    key,
    sha256,
    ...(await bench.put(key, 'same').then(({ etag, sizeBytes }) => ({ etag, sizeBytes })))
  }
  const known = await keeper.findWhole(sha256)
  expect(known).toBeUndefined()
  db.transaction(() => keeper.keep(stored, known))
  await bench.base.settle()
  expect(bench.blobs()).toMatchObject([{ key }])
  expect(await bench.bytes(bench.assets()[0]!.id)).toBe('same')
})
