import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect, onTestFinished, test, vi } from 'vitest'
import { liveMessageSchema } from '../../../shared/api/events.ts'
import { type Lane, laneSchema } from '../../../shared/api/field.ts'
import { type Database, openDatabase } from '../../db/database.ts'
import { migrations } from '../../db/migrations/all.ts'
import { LiveFeed } from '../../events/live-feed.ts'
import { Outbox } from '../../events/outbox.ts'
import { FieldRepository } from './field.repository.ts'
import { FieldBoard } from './field-board.ts'

const NOON = new Date(2026, 3, 7, 12, 0, 0).getTime()
const CLIENT = { tokenId: 't1', tokenName: 'RC Plus', deviceId: 'RC-1', remoteAddress: '::ffff:192.168.1.20' }

function openDb(): Database {
  const folder = mkdtempSync(join(tmpdir(), 'flightcase-field-'))
  const db = openDatabase(join(folder, 'flightcase.db'), migrations)
  onTestFinished(() => {
    db.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return db
}

function openBoard(db = openDb()) {
  const clock = { ms: NOON, nowMs: () => clock.ms }
  const liveFeed = new LiveFeed()
  const outbox = new Outbox({ db, clock })
  const log = pino({ level: 'silent' })
  const board = new FieldBoard({ repository: new FieldRepository(db), outbox, liveFeed, clock, log })
  onTestFinished(() => board.stop())
  /** What was found out about an asset, which the catalogue gets with its first damage. */
  const setDamage = (assetId: string, damage: string | null): void =>
    db.transaction(() => {
      db.prepare(`INSERT OR IGNORE INTO workspace (id, name, created_at_ms) VALUES ('ws', 'ws', 0)`).run()
      db.prepare(
        `INSERT OR IGNORE INTO blob (id, store, key, size_bytes, etag, created_at_ms) VALUES (?, 'local', ?, 1, 'e', 0)`
      ).run(assetId, assetId)
      db.prepare(
        `INSERT INTO asset (id, workspace_id, blob_id, object_key, name, kind, mime_type, state, size_bytes, taken_at_ms,
                            taken_day, taken_source, received_at_ms, damage, updated_at_ms)
         VALUES (?, 'ws', ?, 'k', 'n', 'image', 'image/jpeg', 'active', 1, 0, '1970-01-01', 'received', 0, ?, 0)
         ON CONFLICT (id) DO UPDATE SET damage = excluded.damage`
      ).run(assetId, assetId, damage)
      outbox.append(damage === null ? 'asset.updated' : 'asset.damaged', assetId)
    })
  return { db, board, clock, liveFeed, setDamage }
}

/** The only lane, checked against the contract. */
function only(board: FieldBoard): Lane {
  const lanes = board.listLanes()
  expect(lanes).toHaveLength(1)
  return laneSchema.parse(lanes[0])
}

const file = (number: number) => ({
  tinyFingerprint: `tiny_${number}`,
  fingerprint: `FP${number}`,
  name: `DJI_${String(number).padStart(4, '0')}.JPG`
})
const stored = (number: number) => ({
  ...file(number),
  objectKey: `media/ws/20260407/${file(number).name}`,
  sizeBytes: 1000,
  assetId: `asset ${number}`
})

test('a lane is a token at a device, or at an address when the device says nothing', () => {
  const { board } = openBoard()
  const id = board.arrive(CLIENT)
  expect(board.arrive({ ...CLIENT, remoteAddress: '192.168.1.99' })).toBe(id)
  expect(board.arrive({ ...CLIENT, deviceId: 'RC-2' })).not.toBe(id)
  expect(board.arrive({ ...CLIENT, tokenId: 't2' })).not.toBe(id)
  const anonymous = board.arrive({ ...CLIENT, tokenId: null, tokenName: 'controllers', deviceId: null })
  expect(board.arrive({ ...CLIENT, tokenId: null, tokenName: 'controllers', deviceId: null })).toBe(anonymous)
  expect(board.listLanes().find((lane) => lane.id === anonymous)).toMatchObject({
    name: '192.168.1.20',
    remoteAddress: '192.168.1.20'
  })
})

test('each file counts once, by what happened to it last', () => {
  const { board } = openBoard()
  const id = board.arrive(CLIENT)
  for (const number of [1, 2, 3]) board.asked(id, { ...file(number), assetId: null })
  board.askedTiny(id, ['tiny_1', 'tiny_2', 'tiny_3', 'tiny_4'], new Map([['tiny_4', stored(4)]]))
  expect(only(board)).toMatchObject({ seen: 4, uploaded: 0, skipped: 1, failed: 0 })
  board.uploaded(id, stored(1))
  board.failed(id, stored(2), 'upload_failed')
  expect(only(board)).toMatchObject({
    seen: 4,
    uploaded: 1,
    skipped: 1,
    failed: 1,
    lastError: { code: 'upload_failed', name: 'DJI_0002.JPG' }
  })
  board.uploaded(id, stored(2))
  // The same card again: what was uploaded from here stays so.
  for (const number of [1, 2]) board.asked(id, { ...file(number), assetId: `asset ${number}` })
  expect(only(board)).toMatchObject({ seen: 4, uploaded: 2, skipped: 1, failed: 0 })
  expect(only(board).recent.map(({ name, state }) => [name, state])).toEqual([
    ['DJI_0002.JPG', 'uploaded'],
    ['DJI_0001.JPG', 'uploaded'],
    ['DJI_0004.JPG', 'skipped'],
    ['DJI_0003.JPG', 'waiting']
  ])
})

test('asked by full fingerprint alone, reported with both: still one file', () => {
  const { board } = openBoard()
  const id = board.arrive(CLIENT)
  board.asked(id, { ...file(1), tinyFingerprint: null, assetId: null })
  board.asked(id, { ...file(1), assetId: null })
  board.uploaded(id, stored(1))
  board.uploaded(id, { ...stored(1), fingerprint: null, tinyFingerprint: null })
  expect(only(board)).toMatchObject({ seen: 1, uploaded: 1 })
})

test('bytes on their way are shown with size and speed, in one piece or in parts', () => {
  const { board, clock } = openBoard()
  const id = board.arrive(CLIENT)
  board.asked(id, { ...file(1), assetId: null })
  const key = stored(1).objectKey
  const transfer = (
    state: 'started' | 'receiving' | 'stored' | 'failed',
    receivedBytes: number,
    totalBytes: number | null
  ) => {
    clock.ms += 500
    board.transfer({ sessionDeviceId: id, key, state, receivedBytes, totalBytes })
  }
  transfer('started', 0, 1000)
  transfer('receiving', 400, 1000)
  expect(only(board)).toMatchObject({
    seen: 1,
    current: { name: 'DJI_0001.JPG', state: 'uploading', sizeBytes: 1000, receivedBytes: 400 }
  })
  expect(only(board).bytesPerSecond).toBeGreaterThan(0)
  transfer('stored', 1000, 1000)
  board.uploaded(id, stored(1))
  expect(only(board)).toMatchObject({ seen: 1, uploaded: 1, current: null })

  const parts = stored(2).objectKey
  const part = (number: number, state: 'started' | 'receiving' | 'stored', receivedBytes: number) => {
    const event = { part: { uploadId: 'U', number }, state, receivedBytes, totalBytes: null }
    board.transfer({ sessionDeviceId: id, key: parts, ...event })
  }
  part(1, 'started', 0)
  part(1, 'receiving', 300)
  part(1, 'stored', 500)
  part(2, 'started', 0)
  part(2, 'receiving', 200)
  expect(only(board).current).toMatchObject({ sizeBytes: null, receivedBytes: 700 })
  board.uploaded(id, stored(2))
  // Its fingerprints were not known while it came in: the same file all the same.
  expect(only(board)).toMatchObject({ seen: 2, uploaded: 2, current: null })
  clock.ms += 10_000
  expect(only(board).bytesPerSecond).toBe(0)
})

test('parts that come in side by side, fail and go on later are added up truly', () => {
  const { board, clock } = openBoard()
  const id = board.arrive(CLIENT)
  let uploadId = 'U'
  const part = (number: number, state: 'started' | 'receiving' | 'stored' | 'failed', receivedBytes: number) => {
    const event = { part: { uploadId, number }, state, receivedBytes, totalBytes: null }
    board.transfer({ sessionDeviceId: id, key: 'media/ws/a.MP4', ...event })
  }
  part(1, 'started', 0)
  part(2, 'started', 0)
  for (const receivedBytes of [100, 200, 300]) {
    part(1, 'receiving', receivedBytes)
    part(2, 'receiving', receivedBytes)
  }
  expect(only(board).current).toMatchObject({ sizeBytes: null, receivedBytes: 600 })
  expect(only(board).bytesPerSecond).toBe(600 * 4)
  part(1, 'stored', 500)
  part(2, 'failed', 300)
  expect(only(board)).toMatchObject({ failed: 1, current: null })
  clock.ms += 600_000
  part(2, 'started', 0)
  part(2, 'receiving', 50)
  expect(only(board)).toMatchObject({ failed: 0, current: { receivedBytes: 550 } })
  // The controller gave that upload up and begins again.
  uploadId = 'V'
  part(1, 'started', 0)
  expect(only(board).current).toMatchObject({ receivedBytes: 0 })
})

test('a transfer that breaks is a failure until the file arrives after all', () => {
  const { board } = openBoard()
  const id = board.arrive(CLIENT)
  const key = stored(1).objectKey
  board.asked(id, { ...file(1), assetId: null })
  board.transfer({ sessionDeviceId: id, key, state: 'started', receivedBytes: 0, totalBytes: 9 })
  board.transfer({
    sessionDeviceId: id,
    key,
    state: 'failed',
    receivedBytes: 5,
    totalBytes: 9,
    errorCode: 'IncompleteBody'
  })
  expect(only(board)).toMatchObject({
    seen: 1,
    failed: 1,
    current: null,
    lastError: { code: 'connection_lost', name: 'DJI_0001.JPG' }
  })
  board.uploaded(id, stored(1))
  expect(only(board)).toMatchObject({ seen: 1, failed: 0, uploaded: 1, lastError: null })
})

test('files whose assets turn out damaged are counted, over a restart, until the assets are whole again', () => {
  const { db, board, setDamage } = openBoard()
  const id = board.arrive(CLIENT)
  setDamage('asset 4', 'truncated')
  for (const number of [1, 2, 3]) board.uploaded(id, stored(number))
  board.asked(id, { ...file(4), assetId: 'asset 4' })
  expect(only(board)).toMatchObject({ uploaded: 3, skipped: 1, damaged: 1 })
  setDamage('asset 2', 'unreadable')
  setDamage('asset of another controller', 'unreadable')
  expect(only(board)).toMatchObject({
    uploaded: 3,
    skipped: 1,
    damaged: 2,
    troubled: [
      { name: 'DJI_0002.JPG', state: 'uploaded', damage: 'unreadable', assetId: 'asset 2' },
      { name: 'DJI_0004.JPG', state: 'skipped', damage: 'truncated' }
    ],
    recent: [{ name: 'DJI_0003.JPG' }, { name: 'DJI_0001.JPG' }]
  })
  board.stop()
  const again = openBoard(db)
  expect(only(again.board)).toMatchObject({ damaged: 2, troubled: [{ damage: expect.anything() }, {}] })
  again.setDamage('asset 2', null)
  // A good copy makes an asset of its own.
  again.board.uploaded(id, { ...stored(4), assetId: 'asset 5' })
  expect(only(again.board)).toMatchObject({ uploaded: 4, damaged: 0, troubled: [] })
})

test('watchers hear of damage that is found after everything has come', () => {
  vi.useFakeTimers()
  onTestFinished(() => {
    vi.useRealTimers()
  })
  const { board, liveFeed, setDamage } = openBoard()
  const heard: Lane[] = []
  board.uploaded(board.arrive(CLIENT), stored(1))
  board.start()
  vi.advanceTimersByTime(1000)
  liveFeed.subscribe((message) => message.type === 'lane' && heard.push(message.lane))
  vi.advanceTimersByTime(1000)
  expect(heard).toEqual([])
  setDamage('asset 1', 'unreadable')
  vi.advanceTimersByTime(1000)
  expect(heard).toMatchObject([{ damaged: 1 }])
})

test('failed and damaged files stay listed however many others come after them', () => {
  const { board, setDamage } = openBoard()
  const id = board.arrive(CLIENT)
  board.failed(id, stored(1), 'upload_failed')
  board.uploaded(id, stored(2))
  setDamage('asset 2', 'unreadable')
  for (let number = 3; number < 100; number++) board.uploaded(id, stored(number))
  expect(only(board).troubled.map(({ name }) => name)).toEqual(['DJI_0001.JPG', 'DJI_0002.JPG'])
  for (let number = 100; number < 400; number++) board.failed(id, stored(number), 'upload_failed')
  const { failed, damaged, troubled } = only(board)
  expect({ failed, damaged, listed: troubled.length }).toEqual({ failed: 301, damaged: 1, listed: 200 })
  expect(troubled[0]?.name).toBe('DJI_0399.JPG')
})

test('the last error is about a file that is still missing', () => {
  const { board, clock } = openBoard()
  const id = board.arrive(CLIENT)
  for (const number of [1, 2, 3]) {
    clock.ms += 1000
    board.failed(id, stored(number), number === 1 ? 'object_not_found' : 'upload_failed')
  }
  expect(only(board).lastError).toMatchObject({ name: 'DJI_0003.JPG' })
  board.uploaded(id, stored(3))
  expect(only(board).lastError).toMatchObject({ name: 'DJI_0002.JPG', code: 'upload_failed' })
  // Asked for again, but not here yet.
  board.asked(id, { ...file(2), assetId: null })
  expect(only(board).lastError).toMatchObject({ name: 'DJI_0002.JPG' })
  board.asked(id, { ...file(2), assetId: 'asset 2' })
  expect(only(board).lastError).toMatchObject({
    name: 'DJI_0001.JPG',
    code: 'object_not_found',
    at: new Date(NOON + 1000).toISOString()
  })
  board.uploaded(id, stored(1))
  expect(only(board).lastError).toBeNull()
  board.failed(id, stored(1), 'upload_failed')
  expect(only(board)).toMatchObject({ failed: 0, lastError: null })
})

test('an error of no file in particular is over when bytes come in, or when nothing is missing', () => {
  const { board } = openBoard()
  const id = board.arrive(CLIENT)
  for (const number of [1, 2]) board.asked(id, { ...file(number), assetId: null })
  board.refused(id, 'sts_failed')
  board.transfer({ sessionDeviceId: id, key: stored(1).objectKey, state: 'started', receivedBytes: 0, totalBytes: 9 })
  expect(only(board).lastError).toBeNull()
  board.refused(id, 'payload_too_large')
  board.uploaded(id, stored(1))
  expect(only(board).lastError).toMatchObject({ code: 'payload_too_large' })
  board.uploaded(id, stored(2))
  expect(only(board).lastError).toBeNull()
})

test('an address with a wrong token is told until it signs in or some hours are over', () => {
  vi.useFakeTimers()
  onTestFinished(() => {
    vi.useRealTimers()
  })
  const { board, clock, liveFeed } = openBoard()
  let told = 0
  liveFeed.subscribe((message) => (told += Number(liveMessageSchema.parse(message).type === 'refused-sign-ins')))
  const shown = () => board.listRefusedSignIns().map(({ remoteAddress }) => remoteAddress)
  board.start()
  for (let attempt = 0; attempt < 50; attempt++) {
    board.signInRefused('::ffff:192.168.1.20')
    clock.ms += 100
    vi.advanceTimersByTime(250)
  }
  expect(board.listRefusedSignIns()).toEqual([{ remoteAddress: '192.168.1.20', at: expect.anything() }])
  expect(told).toBe(1)
  board.signInRefused('192.168.1.21')
  expect(shown()).toEqual(['192.168.1.21', '192.168.1.20'])
  board.arrive(CLIENT)
  expect(shown()).toEqual(['192.168.1.21'])
  vi.advanceTimersByTime(250)
  expect(told).toBe(2)
  clock.ms += 5 * 3_600_000
  vi.advanceTimersByTime(250)
  expect(told).toBe(3)
  expect(shown()).toEqual([])
  for (let host = 0; host < 50; host++) board.signInRefused(`192.168.2.${host}`)
  expect(shown()).toHaveLength(20)
})

test.each([
  ['ClientGone', 'connection_lost'],
  ['BadDigest', 'garbled'],
  ['InsufficientStorage', 'store_full'],
  ['SlowDown', 'store_busy'],
  ['NoSuchBucket', 'NoSuchBucket']
])('%s of the store is told as %s', (errorCode, code) => {
  const { board } = openBoard()
  const id = board.arrive(CLIENT)
  const transfer = { sessionDeviceId: id, key: stored(1).objectKey, receivedBytes: 5, totalBytes: 9 }
  board.transfer({ ...transfer, state: 'started' })
  board.transfer({ ...transfer, state: 'failed', errorCode })
  expect(only(board).lastError?.code).toBe(code)
})

test('an upload whose report was lost counts as uploaded once it is taken in', () => {
  const { board } = openBoard()
  const id = board.arrive(CLIENT)
  board.arrive({ ...CLIENT, deviceId: 'RC-2' })
  const { objectKey, sizeBytes, assetId } = stored(1)
  board.asked(id, { ...file(1), assetId: null })
  board.transfer({ sessionDeviceId: id, key: objectKey, state: 'started', receivedBytes: 0, totalBytes: sizeBytes })
  board.transfer({
    sessionDeviceId: id,
    key: objectKey,
    state: 'stored',
    receivedBytes: sizeBytes,
    totalBytes: sizeBytes
  })
  board.adopted({ objectKey, sizeBytes, assetId })
  expect(board.listLanes().map(({ seen, uploaded }) => ({ seen, uploaded }))).toEqual(
    expect.arrayContaining([
      { seen: 1, uploaded: 1 },
      { seen: 0, uploaded: 0 }
    ])
  )
})

test('asking in circles without uploading is told; a card full of questions is not', () => {
  const { board, clock } = openBoard()
  const id = board.arrive(CLIENT)
  for (let number = 0; number < 200; number++) board.asked(id, { ...file(number), assetId: null })
  expect(only(board).lastError).toBeNull()
  for (let round = 0; round < 21; round++) {
    clock.ms += 5000
    board.asked(id, { ...file(1), assetId: null })
  }
  expect(only(board).lastError).toMatchObject({ code: 'fast_upload_loop', name: 'DJI_0001.JPG' })
  board.transfer({ sessionDeviceId: id, key: stored(1).objectKey, state: 'started', receivedBytes: 0, totalBytes: 9 })
  expect(only(board).lastError).toBeNull()
  for (let round = 0; round < 30; round++) {
    clock.ms += 20_000
    board.asked(id, { ...file(2), assetId: null })
  }
  expect(only(board).lastError).toBeNull()
})

test('counts begin anew at midnight; a lane without a sign of life goes offline', () => {
  const { board, clock } = openBoard()
  const id = board.arrive(CLIENT)
  board.uploaded(id, stored(1))
  expect(only(board)).toMatchObject({ online: true, seen: 1 })
  clock.ms += 13 * 3_600_000
  expect(only(board)).toMatchObject({ online: false, seen: 0, uploaded: 0, recent: [] })
})

test('a restart on the same day goes on where it was', () => {
  const { db, board, clock } = openBoard()
  const id = board.arrive(CLIENT)
  board.asked(id, { ...file(1), assetId: null })
  board.uploaded(id, stored(1))
  clock.ms += 1
  board.transfer({ sessionDeviceId: id, key: 'media/ws/b.JPG', state: 'started', receivedBytes: 0, totalBytes: 9 })
  clock.ms += 1
  board.failed(id, stored(2), 'upload_failed')
  board.stop()
  const again = openBoard(db).board
  expect(again.arrive(CLIENT)).toBe(id)
  expect(only(again)).toMatchObject({
    name: 'RC Plus',
    seen: 3,
    uploaded: 1,
    failed: 1,
    current: null,
    lastError: { code: 'upload_failed' },
    troubled: [{ name: 'DJI_0002.JPG' }],
    recent: [
      { name: 'b.JPG', state: 'waiting' },
      { name: 'DJI_0001.JPG', assetId: 'asset 1' }
    ]
  })
})

test('watchers hear of a change, and of many changes only now and then', async () => {
  vi.useFakeTimers()
  onTestFinished(() => {
    vi.useRealTimers()
  })
  const { board, liveFeed, clock } = openBoard()
  const heard: Lane[] = []
  liveFeed.subscribe((message) => {
    const parsed = liveMessageSchema.parse(message)
    if (parsed.type === 'lane') heard.push(parsed.lane)
  })
  board.start()
  const id = board.arrive(CLIENT)
  for (let number = 0; number < 1000; number++) board.asked(id, { ...file(number), assetId: null })
  await vi.advanceTimersByTimeAsync(1000)
  expect(heard.map((lane) => lane.seen)).toEqual([1000])
  board.transfer({ sessionDeviceId: id, key: 'media/ws/x.JPG', state: 'started', receivedBytes: 0, totalBytes: 9000 })
  board.transfer({
    sessionDeviceId: id,
    key: 'media/ws/x.JPG',
    state: 'receiving',
    receivedBytes: 900,
    totalBytes: 9000
  })
  await vi.advanceTimersByTimeAsync(250)
  expect(heard.at(-1)?.bytesPerSecond).toBeGreaterThan(0)
  // The link breaks without a word: the speed falls to nothing, and later the lane goes offline.
  clock.ms += 5000
  await vi.advanceTimersByTimeAsync(250)
  expect(heard.at(-1)).toMatchObject({ bytesPerSecond: 0, online: true })
  clock.ms += 130_000
  await vi.advanceTimersByTimeAsync(250)
  expect(heard.at(-1)).toMatchObject({ online: false, current: null })
  const count = heard.length
  await vi.advanceTimersByTimeAsync(5000)
  expect(heard).toHaveLength(count)
})

test('device ids are free text: they cannot make lanes without end', () => {
  const { board } = openBoard()
  for (let number = 0; number < 1000; number++) board.arrive({ ...CLIENT, deviceId: `made up ${number}` })
  expect(board.listLanes().length).toBeLessThanOrEqual(501)
})
