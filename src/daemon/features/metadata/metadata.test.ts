import { expect, it } from 'vitest'
import { demoClip } from '../../../demo/demo-clip.ts'
import { type NewAsset, startMediaBase } from '../../testing/media-base.ts'
import { dronePhoto } from '../../testing/photos.ts'
import { openEmbeddedStore, openExternalStore } from '../../testing/test-stores.ts'

async function read(asset: NewAsset) {
  const base = await startMediaBase({ store: await openEmbeddedStore() })
  const assetId = await base.add(asset)
  base.metadata.enqueue(assetId)
  await base.settle()
  expect(base.queue.counts()).toMatchObject({ dead: 0, queued: 0 })
  return { row: base.row(assetId), detail: base.detail(assetId), events: base.events(assetId) }
}

it('writes what a photo says into the columns and the capture data', async () => {
  const { row, detail, events } = await read({ name: 'DJI_20250614093000_0001_V.JPG', bytes: await dronePhoto() })
  expect(row).toMatchObject({
    taken_at_ms: Date.parse('2025-06-14T01:30:00.250Z'),
    taken_day: '2025-06-14',
    taken_zone_offset_min: 480,
    taken_source: 'file',
    width: 400,
    height: 300,
    latitude: 22.582,
    longitude: 113.936,
    damage: null
  })
  expect(detail.capture).toMatchObject({
    cameraMake: 'DJI',
    cameraModel: 'M4E',
    relativeAltitudeM: 100.25,
    gimbalPitchDeg: -90,
    flightRollDeg: -2.5,
    fNumber: 2.8,
    zoneOffset: '+08:00',
    videoCodec: null
  })
  expect(detail).toMatchObject({ takenLocal: '2025-06-14T09:30:00', takenZoneKnown: true })
  expect(events).toEqual(['asset.updated'])
})

it('names the drone and the camera, and makes the drone known when nobody had told it', async () => {
  const { detail } = await read({ name: 'a.JPG', bytes: await dronePhoto() })
  expect(detail.capture).toMatchObject({ droneSerial: '1581F000001TEST', cameraSerial: '4K2D000001TEST' })
  expect(detail.deviceName).toBe('M4E TEST')
})

it('leaves the drone that the controller told', async () => {
  const base = await startMediaBase({ store: await openEmbeddedStore() })
  const assetId = await base.add({ name: 'a.JPG', bytes: await dronePhoto() })
  const deviceId = base.arrivals.noteDevice({ serial: 'SN00012345', modelKey: '0-99-0' }, 0)
  base.db.prepare('UPDATE asset SET device_id = ? WHERE id = ?').run(deviceId, assetId)
  base.metadata.enqueue(assetId)
  await base.settle()
  expect(base.detail(assetId)).toMatchObject({ deviceName: 'Matrice 4E 2345' })
  expect(base.db.prepare('SELECT serial FROM device').all()).toEqual([{ serial: 'SN00012345' }])
})

it.each(['', 'x', '0000000000', 'no serial number', '-'.repeat(40), `${'1'.repeat(80)}`])(
  '%j is no serial number',
  async (droneSerial) => {
    const { row } = await read({ name: 'a.JPG', bytes: await dronePhoto({ droneSerial }) })
    expect(row.device_id).toBeNull()
  }
)

it('writes what a video says', async () => {
  const takenAtMs = Date.parse('2025-06-14T01:31:00Z')
  const clip = { name: 'clip.MP4', bytes: await demoClip('x'), takenAtMs, zoneOffsetMin: 480 }
  const { row, detail } = await read({ ...clip, takenSource: 'callback' })
  expect(row).toMatchObject({ width: 640, height: 360, duration_ms: 4000, taken_at_ms: takenAtMs, damage: null })
  expect(detail.capture).toMatchObject({ videoCodec: 'h264', frameRate: 30, zoneOffset: '+08:00' })
})

it('goes by content where the name says something else', async () => {
  const { row } = await read({ name: 'DJI_0001.MP4', bytes: await dronePhoto() })
  expect(row).toMatchObject({ kind: 'image', mime_type: 'image/jpeg', width: 400, damage: null })
})

it.each<[string, () => Promise<Buffer>, object]>([
  ['empty.JPG', async () => Buffer.alloc(0), { kind: 'image', damage: 'unreadable' }],
  ['text.MP4', async () => Buffer.from('no video'), { kind: 'video', damage: 'unreadable' }],
  ['cut.MP4', async () => (await demoClip('x')).subarray(0, 90_000), { damage: 'truncated', width: 640 }],
  ['headless.MP4', async () => (await demoClip('x')).subarray(0, 40), { damage: 'unreadable', width: null }],
  ['notes.txt', async () => Buffer.from('notes'), { kind: 'document', mime_type: 'text/plain', damage: null }],
  ['table.csv', async () => Buffer.from('a,b\n1,2\n'), { mime_type: 'text/csv', damage: null }]
])('%s', async (name, bytes, row) => {
  expect((await read({ name, bytes: await bytes() })).row).toMatchObject(row)
})

it('never covers up that the bytes are lost', async () => {
  const base = await startMediaBase({ store: await openEmbeddedStore() })
  const assetId = await base.add({ name: 'cut.MP4', bytes: (await demoClip('x')).subarray(0, 90_000) })
  base.db.prepare(`UPDATE asset SET damage = 'bytes_changed' WHERE id = ?`).run(assetId)
  base.metadata.enqueue(assetId)
  await base.settle()
  expect(base.row(assetId).damage).toBe('bytes_changed')
})

it('waits for a store that is away and reads from one that has no files to offer', async () => {
  const { store, s3 } = await openExternalStore()
  const base = await startMediaBase({ store })
  const assetId = await base.add({ name: 'a.JPG', bytes: await dronePhoto() })
  base.metadata.enqueue(assetId)
  await s3.goAway()
  await base.settle()
  expect(base.queue.counts()).toMatchObject({ queued: 1, dead: 0 })
  await s3.comeBack()
  await base.settle(60_000)
  expect(base.row(assetId)).toMatchObject({ taken_source: 'file', width: 400 })
})

it('reads only the index of a video in an external store', async () => {
  const { store, s3 } = await openExternalStore()
  const base = await startMediaBase({ store })
  // As aircraft write them: the pictures first, the index at the end.
  const clip = await demoClip('x')
  const [movieAt, picturesAt] = [clip.indexOf('moov') - 4, clip.indexOf('mdat') - 4]
  const filler = Buffer.alloc(5_000_000)
  filler.writeUInt32BE(filler.length)
  filler.write('free', 4, 'latin1')
  const bytes = Buffer.concat([clip.subarray(0, movieAt), filler, clip.subarray(movieAt, picturesAt)])
  const assetId = await base.add({ name: 'long.MP4', bytes })
  const sentBefore = s3.sentBytes
  base.metadata.enqueue(assetId)
  await base.settle()
  expect(base.row(assetId)).toMatchObject({ width: 640, duration_ms: 4000, damage: null })
  expect(s3.sentBytes - sentBefore).toBeLessThan(1_000_000)
})

it('is finished when the bytes or the asset are gone', async () => {
  const base = await startMediaBase({ store: await openEmbeddedStore() })
  const assetId = await base.add({ name: 'a.JPG', bytes: await dronePhoto() })
  await base.store.delete(base.keyOf(assetId))
  base.metadata.enqueue(assetId)
  base.metadata.enqueue('0'.repeat(26))
  await base.settle()
  expect(base.queue.counts()).toMatchObject({ queued: 0, dead: 0 })
})
