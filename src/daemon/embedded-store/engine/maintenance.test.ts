import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { temporaryFolder } from '../../testing/test-database.ts'
import { BUCKET, EngineHarness, OWNER } from './engine-harness.ts'
import { openIndexDatabase } from './index-database.ts'
import { INDEX_MIGRATIONS } from './index-migrations.ts'

const DAY_MS = 24 * 3_600_000
const MIB = 1024 ** 2

let now: number
let store: EngineHarness
beforeEach(async () => {
  now = 1_700_000_000_000
  store = await EngineHarness.open({ clock: () => now })
})
afterEach(() => store.dispose())

async function upload(key: string, sizes: readonly number[]) {
  const ref = await store.engine.createUpload({ bucket: BUCKET, key, owner: OWNER })
  const parts = []
  for (const [index, size] of sizes.entries())
    parts.push(
      await store.engine.putPart({ upload: ref, number: index + 1, body: await store.body(Buffer.alloc(size, 'x')) })
    )
  return { ref, parts }
}

it('counts what is stored and what is on its way', async () => {
  const { maintenance } = store.engine
  expect(await maintenance.usage()).toEqual({
    objects: 0,
    objectBytes: 0,
    blobs: 0,
    blobBytes: 0,
    unfinishedUploads: 0,
    unfinishedBytes: 0,
    idleUploads: 0
  })
  await store.put('a', '12345')
  await store.put('a', '1234567')
  await store.put('gone', '1')
  await store.engine.copyObject({ source: { bucket: BUCKET, key: 'a' }, bucket: BUCKET, key: 'copy' })
  await store.engine.deleteObject(BUCKET, 'gone')
  const finished = await upload('video', [5 * MIB, 10])
  await store.engine.completeUpload({ upload: finished.ref, parts: finished.parts })
  await upload('left', [20, 30])
  now += DAY_MS + 1
  const again = await upload('fresh', [40])
  await store.engine.putPart({ upload: again.ref, number: 1, body: await store.body(Buffer.alloc(50)) })
  await store.engine.housekeeping.collect()
  expect(await maintenance.usage()).toEqual({
    objects: 3,
    objectBytes: 7 + 7 + 5 * MIB + 10,
    blobs: 7,
    blobBytes: 7 + 5 * MIB + 10 + 20 + 30 + 40 + 50,
    unfinishedUploads: 2,
    unfinishedBytes: 100,
    idleUploads: 1
  })
})

it('counts what an older version of the index holds', () => {
  const file = join(temporaryFolder('index'), 'index.db')
  const before = openIndexDatabase(
    file,
    INDEX_MIGRATIONS.filter(({ version }) => version < 40)
  )
  before.exec(`
    INSERT INTO blob (id, size_bytes, sha256, md5, crc32c, refcount, created_at_ms) VALUES ('b', 7, '', '', '', 1, 5);
    INSERT INTO bucket (id, name, owner, created_at_ms) VALUES (1, 'media', 'o', 0);
    INSERT INTO object (bucket_id, key, rev, size_bytes, etag, last_modified_ms, headers_json, metadata_json)
      VALUES (1, 'k', 'r', 7, '', 0, '{}', '{}');
  `)
  before.close()
  const db = openIndexDatabase(file)
  expect(db.prepare('SELECT objects, object_bytes, blobs, blob_bytes FROM store_usage').raw().get()).toEqual([
    1, 7, 1, 7
  ])
  expect(db.prepare('SELECT verified_at_ms FROM blob').pluck().get()).toBe(5)
  db.close()
})

it('lists objects with damaged bytes, page by page', async () => {
  const { maintenance } = store.engine
  for (const key of ['c', 'a', 'whole', 'b']) await store.put(key, `bytes of ${key}`)
  const { ref, parts } = await upload('video', [5 * MIB, 5 * MIB])
  await store.engine.completeUpload({ upload: ref, parts })
  const lost = ['a', 'b', 'c']
  for (const key of lost) {
    const file = await store.engine.localFile(BUCKET, key)
    await rm(file.path)
    file.release()
  }
  now += 5000
  for (const key of lost) await expect(store.engine.headObject(BUCKET, key)).rejects.toThrow()
  const reason = 'The payload file is missing.'
  expect(await maintenance.damagedObjects({ limit: 2 })).toEqual(
    ['a', 'b'].map((key) => ({
      bucket: BUCKET,
      key,
      sizeBytes: 10,
      lastModifiedMs: now - 5000,
      foundAtMs: now,
      reason
    }))
  )
  const rest = await maintenance.damagedObjects({ after: { bucket: BUCKET, key: 'b' }, limit: 10 })
  expect(rest.map(({ key }) => key)).toEqual(['c'])
  expect(maintenance.scrubState()).toMatchObject({ damagedBlobs: 3 })
  await store.put('a', 'sent again')
  expect((await maintenance.damagedObjects({ limit: 10 })).map(({ key }) => key)).toEqual(['b', 'c'])
})

it('knows how old the oldest check is, from the making of the file on', async () => {
  const { maintenance } = store.engine
  expect(maintenance.scrubState()).toMatchObject({ state: 'idle', oldestCheckAtMs: null, roundFinishedAtMs: null })
  const firstAtMs = now
  await store.put('a', 'a')
  now += DAY_MS
  await store.put('b', 'b')
  expect(maintenance.scrubState()).toMatchObject({ oldestCheckAtMs: firstAtMs, damagedBlobs: 0 })
})
