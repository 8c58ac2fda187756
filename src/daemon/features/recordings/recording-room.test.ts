import { renameSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ENOUGH_BYTES, RecordingRoom, type RoomProblem, SHORT_BYTES } from './recording-room.ts'
import { CAMERA, startIndex } from './recordings-bench.ts'

async function startRoom() {
  const bench = await startIndex()
  const disk: { freeBytes: number } = { freeBytes: ENOUGH_BYTES }
  const applied: (RoomProblem | null)[] = []
  const open = () => {
    const room: RecordingRoom = new RecordingRoom({
      ...bench,
      freeBytesOf: async () => disk.freeBytes,
      applyRecording: async () => {
        applied.push(room.problem)
        throw new Error('the media server is away')
      }
    })
    return room
  }
  const told = () => bench.outbox.readFor('recordings', 10).map(({ type, data }) => [type, data['reason']])
  return { ...bench, open, room: open(), disk, applied, told }
}

test('where the disk is nearly full nothing is recorded until there is clearly more room, and both are told once', async () => {
  const { room, disk, applied, told } = await startRoom()
  const seen: (RoomProblem | null)[] = []
  for (const freeBytes of [
    ENOUGH_BYTES,
    SHORT_BYTES,
    SHORT_BYTES - 1,
    0,
    SHORT_BYTES,
    ENOUGH_BYTES - 1,
    ENOUGH_BYTES
  ]) {
    disk.freeBytes = freeBytes
    await room.look()
    seen.push(room.problem)
  }
  expect(seen).toEqual([null, null, 'disk_full', 'disk_full', 'disk_full', 'disk_full', null])
  // That it does not answer changes nothing of what is so.
  expect(applied).toEqual([null, 'disk_full', null])
  expect(told()).toEqual([
    ['recording.resumed', 'disk_full'],
    ['recording.suspended', 'disk_full']
  ])
})

test('while the disk is away nothing is recorded, nor before anybody has looked for it', async () => {
  const { room, applied, told, scanned, server, fake } = await startRoom()
  fake.addSegment(CAMERA, '2026-11-20T13:04:05.000001Z', 5)
  await scanned()
  expect(room.problem).toBe('disk_away')
  await room.look()
  expect([room.problem, told()]).toEqual([null, []])
  renameSync(server.recordRoot!, `${server.recordRoot}-away`)
  await room.look()
  await room.look()
  expect([room.problem, applied]).toEqual(['disk_away', [null, 'disk_away']])
  renameSync(`${server.recordRoot}-away`, server.recordRoot!)
  await room.look()
  expect([room.problem, applied]).toEqual([null, [null, 'disk_away', null]])
  expect(told()).toEqual([
    ['recording.resumed', 'disk_away'],
    ['recording.suspended', 'disk_away']
  ])
})

test('what ended before a restart goes on after it at the same room, and that is told', async () => {
  const { room, open, disk, told } = await startRoom()
  disk.freeBytes = SHORT_BYTES - 1
  await room.look()
  disk.freeBytes = ENOUGH_BYTES - 1
  const restarted = open()
  await restarted.look()
  expect([restarted.problem, told().length]).toEqual(['disk_full', 1])
  disk.freeBytes = ENOUGH_BYTES
  await restarted.look()
  expect([restarted.problem, told()[0]]).toEqual([null, ['recording.resumed', 'disk_full']])
})

test('recording ends also where that cannot be written down, which is told as soon as it can', async () => {
  const { room, disk, told, db, applied } = await startRoom()
  await room.look()
  disk.freeBytes = 0
  db.sql.exec(`CREATE TRIGGER full BEFORE INSERT ON event BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END`)
  await expect(room.look()).rejects.toThrow('disk is full')
  expect([room.problem, applied]).toEqual(['disk_full', [null, 'disk_full']])
  db.sql.exec('DROP TRIGGER full')
  await room.look()
  expect(told()).toEqual([['recording.suspended', 'disk_full']])
  expect(applied).toHaveLength(2)
})
