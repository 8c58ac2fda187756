import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { partsBytes, segmentBytes } from '../../testing/fake-mediamtx/segment-media.ts'
import { temporaryFolder } from '../../testing/test-database.ts'
import { EVER, isoFromUs, usFromIso } from './instants.ts'
import { CAMERA, placeOf, RUN, startIndex } from './recordings-bench.ts'

const OLD = '2026-11-20T13:04:05.000001Z'
const NEW = '2026-11-20T13:05:05.000002Z'
const header = { run: RUN, number: 1, startUs: 0 }

test('files are found by their names, each with its length, size and place in the run', async () => {
  const { fake, scanned, queued } = await startIndex()
  const file = fake.addSegment(CAMERA, NEW, 7.5, { run: RUN, number: 1 })
  fake.addSegment(CAMERA, OLD, 60, { run: RUN, number: 0 })
  // The media server takes none of these for what it wrote, or should not.
  const folder = dirname(file)
  writeFileSync(join(folder, '1763643845-000001.bad'), 'x')
  writeFileSync(join(folder, 'notes.txt'), 'x')
  mkdirSync(join(folder, '1763643999-000001.mp4'))
  symlinkSync('/etc/hostname', join(folder, '1763643998-000001.mp4'))
  const rows = await scanned()
  expect(rows.map(({ startUs }) => isoFromUs(startUs))).toEqual([OLD, NEW])
  expect(rows[1]).toMatchObject({
    fileName: file.slice(folder.length + 1),
    durationMs: 7500,
    sizeBytes: segmentBytes(header, 7500).length,
    run: { id: RUN.replaceAll('-', ''), number: 1 },
    state: 'unchecked',
    isKept: false
  })
  expect(queued()).toEqual(['recordings.check', 'recordings.check'])
})

test('a look that finds nothing new changes nothing', async () => {
  const { fake, scanned, db } = await startIndex()
  fake.addSegment(CAMERA, OLD, 60)
  const rows = await scanned()
  const changes = () => db.sql.prepare<unknown[], { n: number }>('SELECT total_changes() AS n').get()!.n
  const before = changes()
  expect(await scanned()).toEqual(rows)
  expect(changes()).toBe(before)
})

test('the newest file is open as long as it is written, and then it is looked at once more', async () => {
  const { fake, scanned, clock, queued } = await startIndex()
  fake.addSegment(CAMERA, OLD, 60, { run: RUN, number: 0 })
  const file = fake.segmentFile(CAMERA, NEW)
  const write = (bytes: Buffer) => {
    writeFileSync(file, bytes)
    utimesSync(file, clock.nowMs() / 1000, clock.nowMs() / 1000)
  }
  write(Buffer.alloc(0))
  expect((await scanned())[1]).toMatchObject({ state: 'open', durationMs: null, sizeBytes: 0 })
  const opened = segmentBytes(header, 2000, true)
  write(opened)
  expect((await scanned())[1]).toMatchObject({ state: 'open', durationMs: 2000, sizeBytes: opened.length })
  write(Buffer.concat([opened, partsBytes(2000, 3000)]))
  expect((await scanned())[1]).toMatchObject({ state: 'open', durationMs: 5000 })
  // Nothing further came: the longer one stays.
  expect((await scanned())[1]).toMatchObject({ state: 'open', durationMs: 5000 })
  expect(queued()).toEqual(['recordings.check'])
  write(segmentBytes(header, 6000))
  expect((await scanned())[1]).toMatchObject({ state: 'unchecked', durationMs: 6000 })
  expect(queued()).toEqual(['recordings.check', 'recordings.check'])
})

test('a file whose writer died is open no longer', async () => {
  const { scanned, clock, fake } = await startIndex()
  const file = fake.addSegment(CAMERA, NEW, 5)
  writeFileSync(file, segmentBytes(header, 5000, true))
  utimesSync(file, clock.nowMs() / 1000, clock.nowMs() / 1000)
  expect(await scanned()).toMatchObject([{ state: 'open' }])
  clock.advanceMs(60_000)
  expect(await scanned()).toMatchObject([{ state: 'unchecked', durationMs: 5000 }])
})

test('a clock that is put back makes no finished file of what is written', async () => {
  const { scanned, clock, fake, queued } = await startIndex()
  for (const [number, start] of [NEW, OLD].entries()) {
    const file = fake.addSegment(CAMERA, start, 5)
    writeFileSync(file, segmentBytes({ ...header, number }, 5000, true))
    utimesSync(file, clock.nowMs() / 1000, clock.nowMs() / 1000)
    expect((await scanned())[0]).toMatchObject({ state: 'open', startUs: usFromIso(start) })
  }
  expect(queued()).toEqual([])
})

test('what somebody removed is forgotten, but not what lies on a disk that is away', async () => {
  const { fake, scanned } = await startIndex()
  const first = fake.addSegment(CAMERA, OLD, 60)
  fake.addSegment(CAMERA, NEW, 60)
  expect(await scanned()).toHaveLength(2)
  rmSync(first)
  expect((await scanned()).map(({ startUs }) => isoFromUs(startUs))).toEqual([NEW])
  renameSync(fake.recordRoot!, `${fake.recordRoot}-away`)
  expect(await scanned()).toHaveLength(1)
  mkdirSync(fake.recordRoot!)
  expect(await scanned()).toHaveLength(1)
  // In the place of the disk other streams are recorded by now.
  mkdirSync(join(fake.recordRoot!, 'live', 'other-0a1b2c3d'), { recursive: true })
  expect(await scanned()).toHaveLength(1)
  rmSync(fake.recordRoot!, { recursive: true })
  renameSync(`${fake.recordRoot}-away`, fake.recordRoot!)
  rmSync(join(fake.recordRoot!, 'live'), { recursive: true })
  mkdirSync(join(fake.recordRoot!, 'live'))
  expect(await scanned()).toEqual([])
})

test('what is to be kept stays known while its file is away, as in another folder that was set for a while', async () => {
  const { fake, scanned, segments } = await startIndex()
  const file = fake.addSegment(CAMERA, OLD, 60)
  const [row] = await scanned()
  segments.setKept(row!.id, true)
  renameSync(file, `${fake.recordRoot}-aside`)
  expect(await scanned()).toMatchObject([{ id: row!.id, isKept: true }])
  renameSync(`${fake.recordRoot}-aside`, file)
  expect(await scanned()).toMatchObject([{ id: row!.id, isKept: true }])
})

test('to ask whether the disk is there puts nothing on it', async () => {
  const { fake, index, scanned } = await startIndex()
  const folder = fake.recordRoot!
  rmSync(folder, { recursive: true, force: true })
  expect(await index.isDiskThere()).toBe(true)
  expect(existsSync(folder)).toBe(false)
  mkdirSync(folder)
  fake.addSegment(CAMERA, OLD, 60)
  expect(await scanned()).toHaveLength(1)
  expect(await index.isDiskThere()).toBe(true)
  renameSync(folder, `${folder}-away`)
  expect(await index.isDiskThere()).toBe(false)
  expect(existsSync(folder)).toBe(false)
})

test('a look that is called off leaves what it has not seen for the next one', async () => {
  const { fake, index, place, segments, queue, scanned } = await startIndex()
  for (let n = 0; n < 150; n++) fake.addSegment(CAMERA, new Date(Date.UTC(2026, 10, 1) + n * 60_000).toISOString(), 1)
  const stopping = new AbortController()
  // The first hundred are written down.
  queue.setListener({ jobQueued: () => stopping.abort(), jobCancelled: () => undefined })
  await index.scan([place], stopping.signal)
  expect(segments.listWindow(place.sourceId, EVER)).toHaveLength(100)
  expect(await scanned()).toHaveLength(150)
})

test('a path that cannot be looked at keeps nobody from looking at the next', async () => {
  const { fake, index, segments } = await startIndex()
  fake.addSegment(CAMERA, OLD, 60)
  const broken = placeOf('live/broken-11111111')
  writeFileSync(join(fake.recordRoot!, 'live', 'broken-11111111'), 'no folder')
  await index.scan([broken, placeOf()])
  expect(segments.listWindow(broken.sourceId, EVER)).toEqual([])
  expect(segments.listWindow(placeOf().sourceId, EVER)).toHaveLength(1)
})

test('of a server elsewhere the starts are known as it writes them, and lengths from what it plays', async () => {
  const { fake, scanned, queued } = await startIndex({ isElsewhere: true })
  fake.addSegment(CAMERA, OLD, 60, { run: RUN, number: 0 })
  fake.addSegment(CAMERA, NEW, 7.5, { run: RUN, number: 1 })
  const rows = await scanned()
  expect(rows.map(({ rawStart }) => rawStart)).toEqual([OLD, NEW])
  expect(rows).toMatchObject([
    { fileName: null, sizeBytes: null, durationMs: 60_000, state: 'unchecked' },
    { fileName: null, sizeBytes: null, durationMs: 7500, state: 'unchecked' }
  ])
  expect(queued()).toEqual([])
  await fake.down()
  expect(await scanned()).toEqual(rows)
  await fake.up()
  rmSync(fake.segmentFile(CAMERA, OLD))
  expect(await scanned()).toHaveLength(1)
})

test('of a server elsewhere the newest file is open while it is recorded', async () => {
  const { fake, scanned } = await startIndex({ isElsewhere: true })
  await fake.publish(CAMERA)
  fake.addSegment(CAMERA, OLD, 60)
  fake.addSegment(CAMERA, NEW, 10)
  expect((await scanned()).map(({ state }) => state)).toEqual(['unchecked', 'open'])
  expect((await scanned(placeOf(CAMERA, false))).map(({ state }) => state)).toEqual(['unchecked', 'unchecked'])
})

test('another folder is another beginning, and what is in the one before is found again there', async () => {
  const { fake, scanned, index, server } = await startIndex()
  fake.addSegment(CAMERA, OLD, 60)
  const starts = async () => (await scanned()).map(({ startUs }) => isoFromUs(startUs))
  expect(await starts()).toEqual([OLD])
  const before = server.recordRoot!
  const other = join(temporaryFolder('other'), 'recordings')
  Object.assign(server, { recordRoot: other })
  expect(await index.isRootThere()).toBe(true)
  const folder = join(other, ...CAMERA.split('/'))
  mkdirSync(folder, { recursive: true })
  const file = fake.addSegment(CAMERA, NEW, 60)
  renameSync(file, join(folder, basename(file)))
  expect(await starts()).toEqual([NEW])
  Object.assign(server, { recordRoot: before })
  expect(await starts()).toEqual([OLD])
  // Now that it is the folder once more, its disk can be away once more.
  renameSync(before, `${before}-away`)
  expect(await index.isRootThere()).toBe(false)
  expect(await starts()).toEqual([OLD])
})

test('recordings of a media server elsewhere say nothing about a disk here, and are not written here', async () => {
  const { fake, scanned, index, server, segments, place } = await startIndex({ isElsewhere: true })
  fake.addSegment(CAMERA, OLD, 60)
  const [row] = await scanned()
  segments.update(row!.id, { ...row!, state: 'open' })
  Object.assign(server, { recordRoot: join(temporaryFolder('here'), 'recordings') })
  const folder = join(server.recordRoot!, ...CAMERA.split('/'))
  expect(await index.isRootThere()).toBe(true)
  mkdirSync(folder, { recursive: true })
  // Changed long ago, so that the second look is at what is still written only.
  utimesSync(folder, 1, 1)
  for (let look = 0; look < 2; look++) await index.look(place)
  expect(segments.listWindow(place.sourceId, EVER)).toMatchObject([{ id: row!.id, state: 'unchecked' }])
})
