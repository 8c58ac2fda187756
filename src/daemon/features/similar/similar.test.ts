import sharp from 'sharp'
import { expect, it } from 'vitest'
import type { AssetSummary } from '../../../shared/api/assets.ts'
import { bitCount, type PerceptualHash } from '../../media/perceptual-hash.ts'
import { startMediaBase } from '../../testing/media-base.ts'
import { scene } from '../../testing/photos.ts'
import { openEmbeddedStore } from '../../testing/test-stores.ts'
import { HashIndex } from './hash-index.ts'

type Base = Awaited<ReturnType<typeof startMediaBase>>

async function addPicture(base: Base, name: string, bytes: Buffer): Promise<string> {
  const assetId = await base.add({ name, bytes })
  base.renditions.enqueue(assetId)
  await base.settle()
  return assetId
}

async function similarTo(base: Base, assetId: string, query = '') {
  const answer = await base.call(assetId, `/similar${query}`)
  expect(answer.status).toBe(200)
  return answer.json() as Promise<{ isComparable: boolean; items: { asset: AssetSummary; distance: number }[] }>
}

const namesOf = ({ items }: Awaited<ReturnType<typeof similarTo>>) => items.map(({ asset }) => asset.name)

it('copies of a picture are found, other pictures are not', async () => {
  const base = await startMediaBase({ store: await openEmbeddedStore() })
  const original = await scene(1)
  const assetId = await addPicture(base, 'original.jpg', original)
  await addPicture(base, 'same.jpg', original)
  await addPicture(base, 'small.jpg', await sharp(original).resize(300).jpeg({ quality: 40 }).toBuffer())
  await addPicture(base, 'bright.png', await sharp(original).linear(1, 20).png().toBuffer())
  for (const seed of [2, 3, 4]) await addPicture(base, `other-${seed}.jpg`, await scene(seed))
  const found = await similarTo(base, assetId)
  expect(namesOf(found).toSorted()).toEqual(['bright.png', 'same.jpg', 'small.jpg'])
  expect(found.items[0]).toMatchObject({ distance: 0 })
  const distances = found.items.map(({ distance }) => distance)
  expect(distances).toEqual(distances.toSorted((a, b) => a - b))
  expect(namesOf(await similarTo(base, assetId, '?maxDistance=0&limit=1'))).toEqual(['same.jpg'])
})

it('what came, changed or went since the last question counts', async () => {
  const base = await startMediaBase({ store: await openEmbeddedStore() })
  const [bytes, otherBytes] = [await scene(1), await scene(2)]
  const assetId = await addPicture(base, 'a.jpg', bytes)
  expect(namesOf(await similarTo(base, assetId))).toEqual([])
  const second = await addPicture(base, 'b.jpg', bytes)
  expect(namesOf(await similarTo(base, assetId))).toEqual(['b.jpg'])
  base.db.sql.prepare('UPDATE asset SET binned_at_ms = 1 WHERE id = ?').run(second)
  expect(namesOf(await similarTo(base, assetId))).toEqual([])
  base.db.sql.prepare('UPDATE asset SET binned_at_ms = NULL WHERE id = ?').run(second)
  const other = await addPicture(base, 'c.jpg', otherBytes)
  base.db.sql
    .prepare('UPDATE asset SET blob_id = (SELECT blob_id FROM asset WHERE id = ?) WHERE id = ?')
    .run(other, second)
  base.renditions.enqueue(second)
  await base.settle()
  expect(namesOf(await similarTo(base, assetId))).toEqual([])
  expect(namesOf(await similarTo(base, other))).toEqual(['b.jpg'])
  base.db.transaction(() => base.renditions.release(second))
  expect(namesOf(await similarTo(base, other))).toEqual([])
})

it('what shows nothing, or is not there, is not compared', async () => {
  const base = await startMediaBase({ store: await openEmbeddedStore() })
  const grey = { create: { width: 300, height: 200, channels: 3 as const, background: '#888888' } }
  const plain = await addPicture(base, 'plain.png', await sharp(grey).png().toBuffer())
  expect(await similarTo(base, plain)).toEqual({ isComparable: false, items: [] })
  expect((await base.call('0'.repeat(26), '/similar')).status).toBe(404)
  expect((await base.call(plain, '/similar?maxDistance=65')).status).toBe(400)
})

it('finds exactly what comparing one by one finds, over several pieces', async () => {
  let state = 7
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state
  }
  const hashes = Array.from({ length: 25_000 }, (_, i) => ({
    number: 2 * i + 1,
    high: random() & 0xffff,
    low: random() & 0xff
  }))
  const index = new HashIndex({
    listAfter: (number, limit) => hashes.filter((hash) => hash.number > number).slice(0, limit)
  })
  const wanted: PerceptualHash = { high: 0x1234, low: 0x56 }
  const distanceTo = ({ high, low }: PerceptualHash) => bitCount(high ^ wanted.high) + bitCount(low ^ wanted.low)
  const [first, again] = await Promise.all([index.search(wanted, 4), index.search(wanted, 4)])
  for (let distance = 0; distance <= 4; distance++)
    expect(first[distance]).toEqual(hashes.filter((hash) => distanceTo(hash) === distance).map(({ number }) => number))
  expect(again).toEqual(first)
})
