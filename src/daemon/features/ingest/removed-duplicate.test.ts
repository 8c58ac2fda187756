import { expect, test } from 'vitest'
import { startPilotBase } from '../../testing/pilot-base.ts'
import { openExternalStore } from '../../testing/test-stores.ts'
import { Bench, K, openBench, WS, WS_B } from './ingest-bench.ts'

// A report says that a file is at a key where nothing is: it may have been removed as a duplicate, or never have been kept.

const K_B = `media/${WS_B}/20260407/DJI_0099.JPG`
const K_B2 = `media/${WS_B}/20260407/DJI_0100.JPG`

async function openExternal() {
  const { store, s3 } = await openExternalStore()
  return { s3, bench: new Bench(store, await startPilotBase({ store })) }
}

/** Puts an upload into the catalogue, with everything that follows. */
async function take(bench: Bench, bytes: string, fingerprint: string, key = K): Promise<void> {
  await bench.put(key, bytes)
  await bench.record(fingerprint, key)
  await bench.base.settle()
}

test('a removed duplicate: the same report again succeeds, and changes nothing', async () => {
  const { bench } = await openExternal()
  await take(bench, 'same', 'X', K_B)
  await take(bench, 'same', 'F1')
  expect(await bench.store.head(K)).toBeNull()
  const before = bench.files()
  expect(await bench.record('F1')).toEqual({ assetId: before[1]!.asset_id, sizeBytes: 4 })
  expect(bench.files()).toEqual(before)
})

test.each(['F2', null])(
  'the next file of that name, removed by a store without conditional deletes, is wanted: %s',
  async (fingerprint) => {
    const { bench, s3 } = await openExternal()
    await take(bench, 'same', 'X', K_B)
    await bench.put(K, 'same')
    await bench.record('F1')
    const remove = bench.store.delete.bind(bench.store)
    bench.store.delete = async (key, options) => {
      if (key !== K) return remove(key, options)
      await bench.put(K, 'the next card')
      s3.objects.delete(K)
    }
    await bench.base.settle()
    const before = bench.files()
    expect(await bench.record(fingerprint)).toBe('object_missing')
    expect(bench.files()).toEqual(before)
  }
)

test('two removed versions of one key: each report finds its own asset', async () => {
  const { bench } = await openExternal()
  await take(bench, 'card one', 'X1', K_B)
  await take(bench, 'card two', 'X2', K_B2)
  await take(bench, 'card one', 'F1')
  await take(bench, 'card two', 'F2')
  const before = bench.files()
  const [, , first, second] = bench.assets()
  expect(await bench.record('F2')).toMatchObject({ assetId: second!.id })
  expect(await bench.record('F1')).toMatchObject({ assetId: first!.id })
  expect(bench.files()).toEqual(before)
})

test('embedded: a file whose asset is in the bin is not taken for an older one of its name', async () => {
  const bench = await openBench('local')
  const bin = (assetId: string) => bench.base.db.transaction(() => bench.base.ingest.forgetAsset(assetId))
  await take(bench, 'one', 'F1')
  const [first] = bench.assets()
  bin(first!.id)
  bench.base.db.transaction(() => bench.base.ingest.rememberAsset(first!.id))
  await bench.base.settle()
  await take(bench, 'two', 'F2')
  bin(bench.assets()[1]!.id)
  await bench.base.settle()
  expect(await bench.store.head(K)).toBeNull()
  expect(await bench.record('F2')).toBe('object_missing')
  expect(bench.files()).toMatchObject([{ fingerprint: 'F1', asset_id: first!.id }])
})

test('a removed duplicate whose bytes are lost is wanted again', async () => {
  const { bench, s3 } = await openExternal()
  await take(bench, 'same', 'X', K_B)
  await take(bench, 'same', 'F1')
  s3.objects.delete(bench.blobs()[0]!.key)
  expect(await bench.record('F1')).toBe('object_missing')
  await bench.base.settle()
  expect(bench.assets()).toMatchObject([{ damage: 'bytes_missing' }, { damage: 'bytes_missing' }])
})

test('the first report of an adopted duplicate counts when it comes after the removal', async () => {
  const { bench } = await openExternal()
  await take(bench, 'same', 'X', `media/${WS}/20260408/DJI_0001.JPG`)
  await bench.put(K, 'same')
  await bench.base.ingest.adoptObject(WS, K)
  await bench.base.settle()
  expect(await bench.store.head(K)).toBeNull()
  const [, adopted] = bench.files()
  const { fingerprint, asset_id: assetId } = adopted!
  expect(await bench.record(fingerprint, K, { droneSerial: 'SN1' })).toMatchObject({ assetId })
  expect(bench.files()[1]).toMatchObject({ fingerprint, asset_id: assetId, is_adopted: 0 })
  expect(bench.assets()[1]!.device_id).not.toBeNull()
})
