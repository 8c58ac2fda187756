import { expect, test } from 'vitest'
import { ENOUGH_BYTES, RecordingRoom, SHORT_BYTES } from './recording-room.ts'
import { startIndex } from './recordings-bench.ts'

async function startRoom() {
  const bench = await startIndex()
  const disk: { freeBytes: number } = { freeBytes: ENOUGH_BYTES }
  const applied: boolean[] = []
  const room: RecordingRoom = new RecordingRoom({
    ...bench,
    freeBytesOf: async () => disk.freeBytes,
    applyRecording: async () => {
      applied.push(room.isShort)
      throw new Error('the media server is away')
    }
  })
  const told = () => bench.outbox.readFor('recordings', 10).map(({ type, data }) => [type, data['freeBytes']])
  return { room, disk, applied, told }
}

test('where the disk is nearly full nothing is recorded until there is clearly more room, and both are told once', async () => {
  const { room, disk, applied, told } = await startRoom()
  const seen: boolean[] = []
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
    seen.push(room.isShort)
  }
  expect(seen).toEqual([false, false, true, true, true, true, false])
  // That it does not answer changes nothing of what is so.
  expect(applied).toEqual([true, false])
  expect(told()).toEqual([
    ['recording.resumed', ENOUGH_BYTES],
    ['recording.suspended', SHORT_BYTES - 1]
  ])
})
