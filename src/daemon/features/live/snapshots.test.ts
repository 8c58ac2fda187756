import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { describe, expect, test, vi } from 'vitest'
import { aSource } from '../../testing/a-source.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { temporaryFolder } from '../../testing/test-database.ts'
import { Snapshots } from './snapshots.ts'

const source = aSource({ id: 'a'.repeat(26) })
const other = aSource({ id: 'b'.repeat(26), pathName: 'live/cam-0a1b2c3e' })

/**
 * A program in the place of ffmpeg: it notes each call, and gives what the file `picture` beside it holds, where there is one. Held, it
 * waits until it is released.
 */
function startBench({ isHeld = false } = {}) {
  const folder = temporaryFolder('snapshots')
  const program = join(folder, 'ffmpeg')
  const script = [
    '#!/bin/sh',
    `echo "$@" >> ${folder}/calls`,
    `while [ -e ${folder}/held ]; do sleep 0.05; done`,
    `cat ${folder}/picture 2>/dev/null || exit 1`,
    ''
  ]
  if (isHeld) writeFileSync(join(folder, 'held'), '')
  writeFileSync(program, script.join('\n'))
  chmodSync(program, 0o755)
  const clock = new ManualClock()
  const state = { isConnected: true }
  const snapshots = new Snapshots({
    clock,
    log: pino({ level: 'silent' }),
    ffmpegPath: () => program,
    isConnected: () => state.isConnected,
    addressOf: ({ pathName }) => `rtsp://127.0.0.1/${pathName}`
  })
  const show = (bytes: string) => writeFileSync(join(folder, 'picture'), bytes)
  const calls = () => readFileSync(join(folder, 'calls'), 'utf8').split('\n').length - 1
  const release = () => rmSync(join(folder, 'held'))
  return { clock, snapshots, show, state, calls, release }
}

describe.skipIf(process.platform === 'win32')('a picture of a stream', () => {
  test('is taken once however many look, and anew when it is old', async () => {
    const { clock, snapshots, show } = startBench()
    show('first')
    const [one, two] = await Promise.all([snapshots.latest(source), snapshots.latest(source)])
    expect(one?.jpeg.toString()).toBe('first')
    expect(two).toBe(one)
    show('second')
    expect((await snapshots.latest(source))?.jpeg.toString()).toBe('first')
    clock.advanceMs(4001)
    // Who looks has the old one at once; the new one is on its way.
    expect((await snapshots.latest(source))?.jpeg.toString()).toBe('first')
    await vi.waitFor(async () => expect((await snapshots.latest(source))?.jpeg.toString()).toBe('second'))
  })

  test('stays when the stream is over, with its time', async () => {
    const { clock, snapshots, show, state } = startBench()
    show('first')
    const takenAtMs = clock.nowMs()
    await snapshots.latest(source)
    state.isConnected = false
    show('second')
    clock.advanceMs(600_000)
    for (let look = 0; look < 3; look++)
      expect(await snapshots.latest(source)).toEqual({ jpeg: Buffer.from('first'), takenAtMs })
    expect(await snapshots.latest(other)).toBeNull()
  })

  test('is not there, and not asked for at every look, where nothing comes', async () => {
    const { clock, snapshots, show } = startBench()
    expect(await snapshots.latest(source)).toBeNull()
    show('late')
    expect(await snapshots.latest(source)).toBeNull()
    expect((await snapshots.latest(other))?.jpeg.toString()).toBe('late')
    clock.advanceMs(10_001)
    expect((await snapshots.latest(source))?.jpeg.toString()).toBe('late')
    await expect(snapshots.inFull(source)).resolves.toEqual(Buffer.from('late'))
  })

  test('is taken for few streams at once and waited for by some: all others come again, and find all that were taken', async () => {
    const { snapshots, show, calls, release } = startBench({ isHeld: true })
    show('picture')
    const many = Array.from({ length: 40 }, (_, n) => aSource({ id: String(n).padStart(26, '0') }))
    const looks = many.map((each) => snapshots.latest(each))
    // Expected from the start: the refusal may come while the calls are waited for.
    const full = expect(snapshots.inFull(many[39]!)).rejects.toMatchObject({ code: 'snapshot_not_available' })
    await vi.waitFor(() => expect(calls()).toBe(2))
    await full
    // Those who are told to come again are told so at once.
    expect(await Promise.all(looks.slice(32))).toEqual(Array(8).fill(null))
    expect(calls()).toBe(2)
    release()
    for (const look of looks.slice(0, 32)) expect((await look)?.jpeg.toString()).toBe('picture')
    for (const each of many) expect((await snapshots.latest(each))?.jpeg.toString()).toBe('picture')
    expect(calls()).toBe(40)
    expect((await snapshots.inFull(many[0]!)).toString()).toBe('picture')
  })

  test('in full size is refused where there is none', async () => {
    await expect(startBench().snapshots.inFull(source)).rejects.toMatchObject({ code: 'snapshot_not_available' })
  })
})
