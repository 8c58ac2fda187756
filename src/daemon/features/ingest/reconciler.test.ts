import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { newId } from '../../ids.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import { type PilotBase, startPilotBase } from '../../testing/pilot-base.ts'
import type { ScriptedS3 } from '../../testing/scripted-s3.ts'
import { allKeys, openEmbeddedStore, openExternalStore } from '../../testing/test-stores.ts'
import { checkBytesJob } from './ingest.jobs.ts'
import { Reconciler } from './reconciler.ts'
import { reportOfFoundObject } from './upload-report.ts'

const WS = 'team-one'
const K = `media/${WS}/20260407/DJI_0018.JPG`
const BYTES = Buffer.from('bytes')
const MD5 = createHash('md5').update(BYTES).digest('hex')

async function openBench(
  kind: 'local' | 's3' = 'local',
  options: { opened?: Opened; folder?: string; rootPrefix?: string; isBucketShared?: boolean } = {}
) {
  const { opened = await open(kind), isBucketShared = false, ...rest } = options
  const { store, s3 } = opened
  const base = await startPilotBase({ store, ...rest })
  let nowMs = Date.now() + 3_600_000
  const reconciler = new Reconciler({
    db: base.db,
    store,
    keys: base.keys,
    ...base.rows,
    ingest: base.ingest,
    clock: { nowMs: () => nowMs },
    log: pino({ level: 'silent' }),
    isBucketShared,
    acceptsWorkspace: (workspaceId) => workspaceId !== 'stranger'
  })
  return {
    opened,
    store,
    s3: s3!,
    base,
    reconciler,
    setNow: (ms: number) => {
      nowMs = ms
    }
  }
}

type Opened = { store: ObjectStore; s3?: ScriptedS3 }
const open = async (kind: 'local' | 's3'): Promise<Opened> =>
  kind === 's3' ? openExternalStore() : { store: await openEmbeddedStore() }

const report = (fingerprint: string) => ({ ...reportOfFoundObject(WS, K), fingerprint })
const assets = (base: PilotBase) =>
  base.db
    .prepare<unknown[], { id: string; damage: string | null; name: string; object_key: string }>(
      'SELECT id, damage, name, object_key FROM asset ORDER BY id'
    )
    .all()
const files = (base: PilotBase) =>
  base.db
    .prepare<unknown[], { fingerprint: string; is_adopted: number }>('SELECT fingerprint, is_adopted FROM pilot_file')
    .all()
const fastUpload = async (base: PilotBase, fingerprint: string) =>
  (
    (await (
      await fetch(`${base.url}/media/api/v1/workspaces/${WS}/fast-upload`, {
        method: 'POST',
        headers: { 'x-auth-token': 'a-token-for-all-controllers' },
        body: JSON.stringify({ fingerprint, name: 'DJI_0018.JPG' })
      })
    ).json()) as { code: number }
  ).code

test('an upload whose report was lost becomes an asset once it is old enough', async () => {
  const { store, base, reconciler, setNow } = await openBench()
  await store.put(K, BYTES)
  setNow(Date.now())
  expect(await reconciler.run()).toMatchObject({ adopted: 0 })
  setNow(Date.now() + 121_000)
  expect(await reconciler.run()).toMatchObject({ adopted: 1 })
  expect(await reconciler.run()).toMatchObject({ adopted: 0 })
  expect(assets(base)).toMatchObject([{ name: 'DJI_0018.JPG', object_key: K, damage: null }])
  expect(await fastUpload(base, MD5)).toBe(0)
  expect(await fastUpload(base, MD5.toUpperCase())).toBe(0)
  expect(await fastUpload(base, 'another')).toBe(-1)
})

test('the report that comes after all completes the adopted asset', async () => {
  const { store, base, reconciler } = await openBench()
  await store.put(K, BYTES)
  await reconciler.run()
  await base.ingest.recordUpload({ ...report('its own fingerprint'), droneSerial: 'SN1' })
  expect(assets(base)).toHaveLength(1)
  expect(files(base)).toEqual([{ fingerprint: 'its own fingerprint', is_adopted: 0 }])
  expect(base.outbox.readAfter(0, 100).map((event) => event.type)).toEqual(['asset.arrived', 'asset.updated'])
  expect(await reconciler.run()).toMatchObject({ adopted: 0, forgottenFiles: 0, lostBlobs: 0 })
})

test('what is known, binned, or in a workspace that is not ours is left alone', async () => {
  const { store, base, reconciler } = await openBench()
  await store.put(K, BYTES)
  await store.put('media/stranger/20260407/x.JPG', BYTES)
  await store.put('media/loose.JPG', BYTES)
  await base.ingest.recordUpload(report('F'))
  base.db.transaction(() => base.ingest.forgetAsset(assets(base)[0]!.id))
  expect(await reconciler.run()).toMatchObject({ adopted: 0 })
  await base.settle()
  expect(await reconciler.run()).toMatchObject({ adopted: 0 })
  expect(assets(base)).toHaveLength(1)
})

test('external: a binned asset whose bytes are still at the key is not taken for a new one', async () => {
  const { store, base, reconciler } = await openBench('s3')
  await store.put(K, BYTES)
  await base.ingest.recordUpload(report('F'))
  base.db.transaction(() => base.ingest.forgetAsset(assets(base)[0]!.id))
  await base.settle()
  expect(await reconciler.run()).toMatchObject({ adopted: 0, lostBlobs: 0 })
})

test('rows whose object is gone go; an asset without bytes is marked once and found again', async () => {
  const { store, base, reconciler } = await openBench()
  await store.put(K, BYTES)
  await base.ingest.recordUpload(report('F'))
  const pinned = (await allKeys(store)).find((key) => key !== K)!
  await store.deleteMany([K, pinned])
  expect(await reconciler.run()).toMatchObject({ forgottenFiles: 1, lostBlobs: 1, adopted: 0 })
  expect(await reconciler.run()).toMatchObject({ forgottenFiles: 0, lostBlobs: 0 })
  expect(files(base)).toEqual([])
  expect(assets(base)).toMatchObject([{ damage: 'bytes_missing' }])
  await store.put(pinned, BYTES)
  expect(await reconciler.run()).toMatchObject({ foundBlobs: 1 })
  expect(assets(base)).toMatchObject([{ damage: null }])
  expect(base.outbox.readAfter(0, 100).map((event) => event.type)).toEqual([
    'asset.arrived',
    'asset.damaged',
    'asset.updated'
  ])
})

test('external: an object that was replaced behind our back is seen, and the new one adopted', async () => {
  const { store, base, reconciler } = await openBench('s3')
  await store.put(K, BYTES)
  await base.ingest.recordUpload(report('F'))
  await store.put(K, Buffer.from('something else'))
  expect(await reconciler.run()).toMatchObject({ adopted: 1 })
  expect(assets(base)).toMatchObject([{ damage: 'bytes_changed' }, { damage: null }])
})

test('a copy that a crash left behind goes when its bytes are kept elsewhere, and only then', async () => {
  const { store, base, reconciler, setNow } = await openBench()
  await store.put(K, BYTES)
  await base.ingest.recordUpload(report('F'))
  await base.settle()
  const before = await allKeys(store)
  await store.copy(K, 'images/2026/04/07/leftover.jpg')
  await store.put('images/2026/04/07/only-one.jpg', Buffer.from('nowhere else'))
  expect(await reconciler.run()).toMatchObject({ leftovers: 0 })
  setNow(Date.now() + 25 * 3_600_000)
  expect(await reconciler.run()).toMatchObject({ leftovers: 1 })
  expect(await allKeys(store)).toEqual([...before, 'images/2026/04/07/only-one.jpg'].sort())
})

test('external: what others keep in the same bucket is not read', async () => {
  const { store, reconciler, setNow } = await openBench('s3')
  await store.put('images/2026/04/07/of-another-program.jpg', Buffer.from('large'))
  setNow(Date.now() + 25 * 3_600_000)
  store.sha256Of = () => Promise.reject(new Error('read'))
  expect(await reconciler.run()).toMatchObject({ leftovers: 0 })
})

test('external: a copy that was never recorded goes after a day, if its blob is whole elsewhere and nobody is at it', async () => {
  const { store, s3, base, reconciler, setNow } = await openBench('s3')
  await store.put(K, BYTES)
  await base.ingest.recordUpload(report('F'))
  const [blob] = base.rows.blobs.list(K)
  const leftover = base.keys.pinned(blob!.id, K, Date.now())
  const ofUnknown = base.keys.pinned(newId(), K, Date.now())
  const ofOtherSize = base.keys.pinned(blob!.id, 'x.MP4', Date.now())
  await store.copy(K, leftover)
  await store.copy(K, ofUnknown)
  await store.put(ofOtherSize, Buffer.from('other bytes'))
  const untouched = await allKeys(store)

  expect(await reconciler.run()).toMatchObject({ leftovers: 0 })
  setNow(Date.now() + 25 * 3_600_000)
  // The job that makes the copy is still at it.
  await base.ingest.whileQuiet(leftover, async () => {
    expect(await reconciler.run()).toMatchObject({ leftovers: 0 })
  })
  s3.objects.delete(K)
  expect(await reconciler.run()).toMatchObject({ leftovers: 0, forgottenFiles: 1 })
  s3.put(K, BYTES)
  base.db.transaction(() => base.rows.blobs.setPlace(blob!.id, { key: leftover, etag: blob!.etag }))
  expect(await reconciler.run()).toMatchObject({ leftovers: 0 })
  expect(await allKeys(store)).toEqual(untouched)

  base.db.transaction(() => base.rows.blobs.setPlace(blob!.id, { key: K, etag: blob!.etag }))
  expect(await reconciler.run()).toMatchObject({ leftovers: 1 })
  expect(await allKeys(store)).toEqual(untouched.filter((key) => key !== leftover))
})

test('in a bucket that others use, uploads in workspaces that are not known here are theirs', async () => {
  const { store, base, reconciler } = await openBench('s3', { isBucketShared: true })
  await store.put(K, BYTES)
  expect(await reconciler.run()).toMatchObject({ adopted: 0 })
  await base.ingest.recordUpload(report('F'))
  await store.put(`media/${WS}/20260407/DJI_0019.JPG`, Buffer.from('of ours'))
  await store.put('media/team-two/20260407/DJI_0018.JPG', Buffer.from('of others'))
  expect(await reconciler.run()).toMatchObject({ adopted: 1 })
  expect(assets(base)).toMatchObject([{ name: 'DJI_0018.JPG' }, { name: 'DJI_0019.JPG' }])
})

test('what is kept below a former prefix is looked after as before', async () => {
  const first = await openBench('local', { rootPrefix: 'tenant-a/media' })
  await first.store.put(K, BYTES)
  await first.base.ingest.recordUpload(report('F'))
  await first.base.settle()
  await first.base.stop()
  const { opened, base: former } = first
  const { store, base, reconciler, setNow } = await openBench('local', {
    opened,
    folder: former.folder,
    rootPrefix: 'b'
  })
  const pinned = (await allKeys(store)).find((key) => key.startsWith('tenant-a/media/images/'))!
  await store.copy(pinned, 'tenant-a/media/archive/others/2026/04/07/leftover.jpg')
  await store.copy(pinned, 'tenant-c/images/2026/04/07/of-others.jpg')
  setNow(Date.now() + 25 * 3_600_000)
  expect(await reconciler.run()).toMatchObject({ leftovers: 1, lostBlobs: 0 })
  expect(await allKeys(store)).toEqual([K, pinned, 'tenant-c/images/2026/04/07/of-others.jpg'])
  await store.delete(pinned)
  expect(await reconciler.run()).toMatchObject({ lostBlobs: 1 })
  expect(assets(base)).toMatchObject([{ damage: 'bytes_missing' }])
})

test('while the store is away nothing changes', async () => {
  const { store, s3, base, reconciler } = await openBench('s3')
  await store.put(K, BYTES)
  await base.ingest.recordUpload(report('F'))
  for (const failure of [
    { status: 403, code: 'AccessDenied' },
    { status: 500, code: 'InternalError' },
    { status: 404, code: 'NoSuchBucket' }
  ]) {
    s3.failure = failure
    expect(await reconciler.run()).toBeUndefined()
  }
  // It also may fail half way: the listing is empty, the question about a single object is refused.
  s3.objects.clear()
  s3.failure = { status: 403, code: 'AccessDenied', methods: ['HEAD'] }
  expect(await reconciler.run()).toBeUndefined()
  await s3.goAway()
  expect(await reconciler.run()).toBeUndefined()
  expect(files(base)).toHaveLength(1)
  expect(assets(base)).toMatchObject([{ damage: null }])
})

test('one damaged object is told and keeps nothing else from being compared', async () => {
  const { store, base, reconciler } = await openBench()
  const damage = async (key: string) => {
    const file = (await store.localPath(key))!
    file.release()
    rmSync(file.path)
  }
  await store.put(K, BYTES)
  await base.ingest.recordUpload(report('F'))
  const pinned = (await allKeys(store)).find((key) => key !== K)!
  await damage(pinned)
  base.queue.enqueue(checkBytesJob, { key: pinned })
  await base.settle()
  expect(assets(base)).toMatchObject([{ damage: 'bytes_missing' }])
  expect(await fastUpload(base, 'F')).toBe(-1)
  // The listing still has it.
  const unreported = `media/${WS}/20260407/A.JPG`
  await store.put(unreported, Buffer.from('damaged before it was reported'))
  await damage(unreported)
  await store.put(`media/${WS}/20260407/Z.JPG`, Buffer.from('whole'))
  expect(await reconciler.run()).toMatchObject({ adopted: 1, foundBlobs: 0 })
  expect(assets(base)).toMatchObject([{ damage: 'bytes_missing' }, { name: 'Z.JPG', damage: null }])
})

test('many pages are compared completely, in byte order of the keys', async () => {
  const { store, base, reconciler } = await openBench()
  for (let index = 0; index < 1100; index++)
    await store.put(`media/${WS}/20260407/${index % 2 === 0 ? 'é' : '🚁'}${index}.JPG`, Buffer.from(`photo ${index}`))
  expect(await reconciler.run()).toMatchObject({ adopted: 1100, forgottenFiles: 0, lostBlobs: 0 })
  expect(await reconciler.run()).toMatchObject({ objects: 1100, adopted: 0, forgottenFiles: 0, lostBlobs: 0 })
  expect(assets(base)).toHaveLength(1100)
})
