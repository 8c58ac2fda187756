import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Ballast } from './ballast.ts'

const MIB = 1024 ** 2
let directory: string
let freeBytes: number
let totalBytes: number
const space = async () => ({ freeBytes, totalBytes })
const open = (sizeBytes?: number) => Ballast.find(directory, { space, sizeBytes })
const sizeOnDisk = () =>
  stat(join(directory, 'ballast')).then(
    ({ size, blocks }) => Math.min(size, blocks * 512),
    () => null
  )

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'flightcase-ballast-'))
  totalBytes = 100 * MIB
  freeBytes = 50 * MIB
})
afterEach(() => rm(directory, { recursive: true, force: true }))

it('takes real room, is let go of on a full disk, and is made again with room for twice as much', async () => {
  const ballast = await open(3 * MIB)
  expect(ballast.missingBytes).toBe(3 * MIB)
  await ballast.keep(() => false)
  expect(await sizeOnDisk()).toBe(3 * MIB)
  expect(ballast.missingBytes).toBe(0)

  freeBytes = MIB / 2
  await ballast.keep(() => false)
  expect(await sizeOnDisk()).toBeNull()
  expect(ballast.missingBytes).toBe(3 * MIB)

  freeBytes = 6 * MIB - 1
  await ballast.keep(() => false)
  expect(await sizeOnDisk()).toBeNull()
  freeBytes = 6 * MIB
  await ballast.keep(() => false)
  expect(await sizeOnDisk()).toBe(3 * MIB)
})

it('gives its room once to whoever asks', async () => {
  const ballast = await open(MIB)
  await ballast.keep(() => false)
  expect(ballast.release()).toBe(true)
  expect(await sizeOnDisk()).toBeNull()
  expect(ballast.release()).toBe(false)
})

it('is let go of before anything is opened on a full disk, and only then', async () => {
  await (await open(MIB)).keep(() => false)
  await open(MIB)
  expect(await sizeOnDisk()).toBe(MIB)
  freeBytes = 0
  await open(MIB)
  expect(await sizeOnDisk()).toBeNull()
})

it('is a hundredth of a small volume, and no more than 64 MiB', async () => {
  const sizeOn = async (bytes: number) => {
    totalBytes = bytes
    return (await open()).missingBytes
  }
  expect(await sizeOn(100 * MIB)).toBe(MIB)
  expect(await sizeOn(1024 ** 4)).toBe(64 * MIB)
})

it('that was cut short by the end of the program is made whole the next time', async () => {
  let calls = 0
  await (await open(4 * MIB)).keep(() => calls++ === 2)
  expect(await sizeOnDisk()).toBe(2 * MIB)
  const ballast = await open(4 * MIB)
  expect(ballast.missingBytes).toBe(2 * MIB)
  await ballast.keep(() => false)
  expect(await sizeOnDisk()).toBe(4 * MIB)
})
