import { expect, it } from 'vitest'
import { SpaceLedger } from './space-ledger.ts'

const MIB = 1024 ** 2
const GIB = 1024 ** 3

function ledger(freeBytes: number, missingBytes = 0) {
  const time = { nowMs: 0 }
  const space = async () => ({ freeBytes, totalBytes: freeBytes })
  return { time, ledger: new SpaceLedger({ space, reserveBytes: 0, ballast: { missingBytes }, now: () => time.nowMs }) }
}
const full = { code: 'StorageFull' }

it('lets others in when a body was announced and does not come, and that one goes on step by step', async () => {
  const { ledger: space, time } = ledger(100 * GIB)
  const announced = await space.reserve(100 * GIB)
  await expect(space.reserve(GIB)).rejects.toMatchObject(full)
  time.nowMs = 5000
  const other = await space.reserve(GIB)
  expect(announced.covers(1)).toBe(false)
  await announced.extend(64 * MIB)
  expect(announced.covers(64 * MIB)).toBe(true)
  await expect(announced.extend(99 * GIB)).rejects.toMatchObject(full)
  other.release()
  await announced.extend(99 * GIB)
})

it('keeps the claim of a body that arrives, however long that takes', async () => {
  const { ledger: space, time } = ledger(100 * GIB)
  const lease = await space.reserve(60 * GIB)
  for (time.nowMs = 4000; time.nowMs < 60_000; time.nowMs += 4000) {
    lease.written(MIB)
    await expect(space.reserve(50 * GIB)).rejects.toMatchObject(full)
  }
  expect(lease.covers(60 * GIB)).toBe(true)
})

it('leaves the room of the ballast alone', async () => {
  const { ledger: space } = ledger(GIB, 64 * MIB)
  await expect(space.reserve(GIB)).rejects.toMatchObject(full)
  await space.reserve(GIB - 64 * MIB)
})
