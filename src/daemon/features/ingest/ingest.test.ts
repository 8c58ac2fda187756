import { rmSync } from 'node:fs'
import { describe, expect, test, vi } from 'vitest'
import { isPinnedKey } from '../../object-keys.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import { startPilotBase } from '../../testing/pilot-base.ts'
import { allKeys, openExternalStore } from '../../testing/test-stores.ts'
import { Bench, K, openBench, WS, WS_B } from './ingest-bench.ts'

/** Takes away the payload of an object of the embedded store. */
async function damage(store: ObjectStore, key: string): Promise<void> {
  const file = (await store.localPath(key))!
  file.release()
  rmSync(file.path)
}

describe('a key that is overwritten', () => {
  test('embedded: every upload keeps its own bytes', async () => {
    const bench = await openBench('local')
    await bench.put(K, 'first card')
    await bench.record('F1')
    await bench.put(K, 'second card')
    await bench.record('F2')
    const [first, second] = bench.assets()
    expect(bench.assets()).toHaveLength(2)
    expect(await bench.bytes(first!.id)).toBe('first card')
    expect(await bench.bytes(second!.id)).toBe('second card')
    await bench.base.settle()
    expect(await bench.bytes(first!.id)).toBe('first card')
  })

  test('external: the older asset is marked, once, and never shows the newer bytes', async () => {
    const bench = await openBench('s3')
    await bench.put(K, 'first card')
    await bench.record('F1')
    await bench.put(K, 'second card')
    await bench.record('F2')
    await bench.record('F2')
    const [first, second] = bench.assets()
    expect(first).toMatchObject({ damage: 'bytes_changed' })
    expect(second).toMatchObject({ damage: null })
    expect(await bench.bytes(first!.id)).toBeUndefined()
    expect(await bench.bytes(second!.id)).toBe('second card')
    expect(bench.events('asset.damaged')).toHaveLength(1)
    await bench.base.settle()
    expect(bench.base.queue.counts()).toMatchObject({ dead: 0, queued: 0 })
  })

  test('same fingerprint and key, other bytes: a new asset', async () => {
    const bench = await openBench('local')
    await bench.put(K, 'one')
    await bench.record('F')
    await bench.put(K, 'two')
    await bench.record('F')
    const [first, second] = bench.assets()
    expect(await bench.bytes(first!.id)).toBe('one')
    expect(await bench.bytes(second!.id)).toBe('two')
    expect(bench.files()).toMatchObject([{ fingerprint: 'F', asset_id: second!.id }])
  })

  test('replaced between the look and the copy: the newest version is recorded', async () => {
    const bench = await openBench('local')
    await bench.put(K, 'one')
    const copy = bench.store.copy.bind(bench.store)
    bench.store.copy = async (...args) => {
      bench.store.copy = copy
      await bench.put(K, 'two')
      return copy(...args)
    }
    await bench.record('F')
    expect(await bench.allBytes()).toEqual(['two'])
    expect(await allKeys(bench.store)).toHaveLength(2)
  })
})

describe('deduplication', () => {
  test('embedded: one payload, both keys stay, the second copy of ours goes', async () => {
    const bench = await openBench('local')
    const other = `media/${WS_B}/20260407/DJI_0099.JPG`
    await bench.put(K, 'same bytes')
    await bench.put(other, 'same bytes')
    await bench.record('F1')
    await bench.record('F2', other)
    expect(bench.blobs()).toHaveLength(2)
    await bench.base.settle()
    const [blob] = bench.blobs()
    expect(bench.blobs()).toHaveLength(1)
    expect(bench.assets().map((asset) => asset.blob_id)).toEqual([blob!.id, blob!.id])
    expect(await allKeys(bench.store)).toEqual([blob!.key, K, other].sort())
    expect(bench.files()).toMatchObject([
      { object_key: K, head_key: null },
      { object_key: other, head_key: null }
    ])
    expect(bench.base.queue.counts()).toMatchObject({ dead: 0, queued: 0 })
  })

  test('external: one object under a key of ours stays, all reports and fingerprints still count', async () => {
    const bench = await openBench('s3')
    const other = `media/${WS_B}/20260407/DJI_0099.JPG`
    await bench.put(K, 'same bytes')
    await bench.put(other, 'same bytes')
    await bench.record('F1')
    await bench.record('F2', other)
    await bench.base.settle()
    const [kept] = bench.blobs()
    expect(isPinnedKey(kept!.key)).toBe(true)
    expect(await allKeys(bench.store)).toEqual([kept!.key])
    expect(await bench.allBytes()).toEqual(['same bytes', 'same bytes'])
    expect(bench.files()).toMatchObject([
      { object_key: K, head_key: kept!.key },
      { object_key: other, head_key: kept!.key }
    ])
    expect(await bench.record('F2', other)).toMatchObject({ assetId: bench.assets()[1]!.id })
    expect(bench.files()).toHaveLength(2)
    expect(bench.events('asset.arrived')).toHaveLength(2)
    // Sent again all the same: accepted, and removed again.
    await bench.put(other, 'same bytes')
    await bench.record('F2', other)
    await bench.base.settle()
    expect(await allKeys(bench.store)).toEqual([kept!.key])
    expect(bench.assets()).toHaveLength(2)
  })

  test('a store that is away loses nothing and costs no attempt', async () => {
    const { store, s3 } = await openExternalStore()
    const bench = new Bench(store, await startPilotBase({ store }))
    await bench.put(K, 'bytes')
    await bench.record('F1')
    await s3.goAway()
    await bench.base.settle()
    expect(bench.assets()).toMatchObject([{ damage: null }])
    expect(bench.base.db.prepare('SELECT name, state, attempt FROM job').all()).toEqual([
      { name: 'ingest.fingerprint', state: 'queued', attempt: 0 }
    ])
  })

  test('a long read ends when the program stops, and begins again with the next start', async () => {
    const { store, s3 } = await openExternalStore()
    const bench = new Bench(store, await startPilotBase({ store }))
    await bench.put(K, 'bytes')
    await bench.record('F1')
    s3.isStalled = true
    bench.base.runner.start()
    await vi.waitFor(() => expect(s3.sentBytes).toBe(5))
    await bench.base.runner.stop(0)
    expect(bench.base.runner.runningCount()).toBe(0)
    expect(bench.base.db.prepare('SELECT state, attempt FROM job').all()).toEqual([{ state: 'queued', attempt: 0 }])
    s3.isStalled = false
    await bench.base.settle()
    expect(await bench.allBytes()).toEqual(['bytes'])
  })

  test.each(['gone', 'damaged'])('same bytes as an asset whose own are %s: the newcomer heals it', async (spoil) => {
    const bench = await openBench('local')
    await bench.put(K, 'bytes')
    await bench.record('F1')
    await bench.base.settle()
    if (spoil === 'gone') await bench.store.delete(bench.blobs()[0]!.key)
    else await damage(bench.store, bench.blobs()[0]!.key)
    const other = `media/${WS}/20260408/DJI_0001.JPG`
    await bench.put(other, 'bytes')
    await bench.record('F2', other)
    await bench.base.settle()
    expect(bench.blobs()).toHaveLength(1)
    expect(await bench.allBytes()).toEqual(['bytes', 'bytes'])
  })
})

test.each([
  { damage: 'truncated', preview_problem: null },
  { damage: null, preview_problem: 'bytes_missing' }
])('bytes that come back are looked at anew: %o', async ({ damage: found, preview_problem }) => {
  const bench = await openBench('local')
  await bench.put(K, 'bytes')
  await bench.record('F1')
  await bench.base.settle()
  const [asset] = bench.assets()
  bench.base.db.prepare('UPDATE asset SET damage = ?, preview_problem = ?').run(found, preview_problem)
  await damage(bench.store, bench.blobs()[0]!.key)
  const other = `media/${WS}/20260408/DJI_0001.JPG`
  await bench.put(other, 'bytes')
  await bench.record('F2', other)
  bench.base.newAssets.length = 0
  await bench.base.settle()
  expect(bench.assets()).toMatchObject([{ damage: null }, { damage: null }])
  expect(bench.base.newAssets).toEqual([asset!.id])
})

describe('one transaction', () => {
  test('when it fails nothing is left: no row, no copy', async () => {
    const bench = await openBench('local')
    await bench.put(K, 'bytes')
    bench.base.db.sql.exec(`CREATE TRIGGER refuse BEFORE INSERT ON job BEGIN SELECT raise(ABORT, 'refused'); END`)
    await expect(bench.record('F1')).rejects.toThrow('refused')
    expect(await allKeys(bench.store)).toEqual([K])
    for (const table of ['asset', 'blob', 'reference', 'pilot_file', 'pilot_object', 'workspace', 'event'])
      expect(bench.base.db.prepare(`SELECT * FROM ${table}`).all(), table).toEqual([])
  })

  test('what fails after the commit takes nothing away, and the others are told', async () => {
    const errors: unknown[] = []
    const bench = await openBench('local', (error) => errors.push(error))
    await bench.put(K, 'bytes')
    const told: string[] = []
    bench.base.outbox.onAppend(() => {
      throw new Error('a watcher fails')
    })
    bench.base.outbox.onAppend(() => told.push('the next watcher'))
    expect(await bench.record('F1')).toMatchObject({ sizeBytes: 5 })
    expect(await bench.allBytes()).toEqual(['bytes'])
    expect(errors[0]).toMatchObject({ message: 'a watcher fails' })
    expect(told).not.toEqual([])
  })

  test('reports of one key at the same moment make one asset', async () => {
    const bench = await openBench('local')
    await bench.put(K, 'bytes')
    await Promise.all(Array.from({ length: 8 }, () => bench.record('F1')))
    expect(bench.assets()).toHaveLength(1)
    expect(bench.events('asset.arrived')).toHaveLength(1)
  })

  test('device and flight are made once and shared', async () => {
    const bench = await openBench('local')
    const other = `media/${WS}/20260407/DJI_0019.JPG`
    await bench.put(K, 'a')
    await bench.put(other, 'b')
    const mission = { droneSerial: 'SN00012345', droneModelKey: '0-99-0', groupId: 'g', path: 'Survey north' }
    await bench.record('F1', K, mission)
    await bench.record('F2', other, mission)
    expect(bench.base.db.prepare('SELECT serial, model_key, name FROM device').all()).toEqual([
      { serial: 'SN00012345', model_key: '0-99-0', name: 'Matrice 4E 2345' }
    ])
    expect(bench.base.db.prepare('SELECT name, group_id FROM flight').all()).toEqual([
      { name: 'Survey north', group_id: 'g' }
    ])
  })
})

describe('a deleted asset', () => {
  test('is wanted again and comes back as a new one when it is sent again', async () => {
    const bench = await openBench('local')
    await bench.put(K, 'bytes')
    await bench.record('F1')
    const [asset] = bench.assets()
    bench.base.db.transaction(() => bench.base.ingest.forgetAsset(asset!.id))
    expect(bench.files()).toEqual([])
    await bench.put(K, 'bytes')
    await bench.record('F1')
    await bench.base.settle()
    expect(bench.assets()).toHaveLength(2)
    expect(await bench.store.head(K)).not.toBeNull()
    expect(await bench.allBytes()).toEqual(['bytes', 'bytes'])
  })

  test('external: the bytes stay until it is purged, and sending it again does no harm', async () => {
    const bench = await openBench('s3')
    await bench.put(K, 'bytes')
    await bench.record('F1')
    await bench.base.settle()
    bench.base.db.transaction(() => bench.base.ingest.forgetAsset(bench.assets()[0]!.id))
    await bench.base.settle()
    expect(await bench.store.head(K)).not.toBeNull()
    await bench.put(K, 'bytes')
    await bench.record('F1')
    await bench.base.settle()
    expect(await bench.allBytes()).toEqual(['bytes', 'bytes'])
    expect(bench.blobs()).toHaveLength(1)
  })
})

test('external: an asset that comes back from the bin is known again, whatever became of its upload', async () => {
  const bench = await openBench('s3')
  const other = `media/${WS_B}/20260407/DJI_0099.JPG`
  await bench.put(K, 'bytes')
  await bench.record('F1')
  await bench.base.settle()
  const [asset] = bench.assets()
  const forget = () => bench.base.db.transaction(() => bench.base.ingest.forgetAsset(asset!.id))
  const remember = () => bench.base.db.transaction(() => bench.base.ingest.rememberAsset(asset!.id))
  const rows = bench.files()
  forget()
  await bench.base.settle()
  expect(bench.files()).toEqual([])
  remember()
  expect(bench.files()).toEqual(rows)
  expect(await bench.record('F1')).toMatchObject({ assetId: asset!.id })
  // While it is in the bin, its upload goes because somebody else sent the same bytes.
  forget()
  await bench.put(other, 'bytes')
  await bench.record('F2', other)
  await bench.base.settle()
  remember()
  await bench.base.settle()
  expect(bench.files()).toMatchObject([
    { fingerprint: 'F2', head_key: bench.blobs()[0]!.key },
    { fingerprint: 'F1', head_key: bench.blobs()[0]!.key }
  ])
  expect(await allKeys(bench.store)).toEqual([bench.blobs()[0]!.key])
})

test('an asset that lost its bytes is wanted again and healed by the next upload', async () => {
  for (const kind of ['local', 's3'] as const) {
    const bench = await openBench(kind)
    await bench.put(K, 'bytes')
    await bench.record('F1')
    await bench.base.settle()
    const [asset] = bench.assets()
    await bench.store.delete(bench.blobs()[0]!.key)
    bench.base.db.transaction(() => bench.base.ingest.markLost(bench.blobs()[0]!, 'bytes_missing'))
    await bench.put(K, 'bytes')
    await bench.record('F1')
    expect(bench.assets()).toMatchObject([{ id: asset!.id, damage: null }])
    expect(await bench.bytes(asset!.id)).toBe('bytes')
  }
})

test.each(['gone', 'damaged'])(
  'embedded: a file that came back from the bin stays known when another upload heals its bytes, which were %s',
  async (spoil) => {
    const bench = await openBench('local')
    await bench.put(K, 'bytes')
    await bench.record('F1')
    await bench.base.settle()
    const [asset] = bench.assets()
    bench.base.db.transaction(() => bench.base.ingest.forgetAsset(asset!.id))
    await bench.base.settle()
    bench.base.db.transaction(() => bench.base.ingest.rememberAsset(asset!.id))
    const [before] = bench.blobs()
    if (spoil === 'gone') await bench.store.delete(before!.key)
    else await damage(bench.store, before!.key)
    const other = `media/${WS_B}/20260407/DJI_0099.JPG`
    await bench.put(other, 'bytes')
    await bench.record('F2', other)
    await bench.base.settle()
    expect(bench.blobs()[0]!.key).not.toBe(before!.key)
    expect(await bench.fastUpload('F1')).toBe(K)
    // And it is wanted again as soon as those bytes are gone.
    await bench.store.delete(bench.blobs()[0]!.key)
    expect(await bench.fastUpload('F1')).toBeNull()
    expect(bench.files()).toMatchObject([{ fingerprint: 'F2' }])
    expect(bench.assets()).toMatchObject([{ damage: 'bytes_missing' }, { damage: 'bytes_missing' }])
  }
)
