import { chmodSync, cpSync, mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { lockDataDir } from '../db/data-dir-lock.ts'
import { BlobFiles } from '../embedded-store/engine/blob-files.ts'
import { createStorageEngine, type OpenStorageEngine } from '../embedded-store/engine/create-storage-engine.ts'
import { newId } from '../ids.ts'
import { runCommand } from '../testing/run-command.ts'
import { storedFile } from '../testing/stored-file.ts'
import { temporaryFolder } from '../testing/test-database.ts'
import { verifyCommand } from './verify.ts'

const reportSchema = z.object({
  objects: z.number(),
  files: z.number(),
  bytes: z.number(),
  indexProblems: z.array(z.string()),
  damaged: z.array(
    z.object({
      what: z.string(),
      path: z.string(),
      objects: z.array(z.object({ bucket: z.string(), key: z.string() }))
    })
  ),
  unchecked: z.array(z.object({ path: z.string(), reason: z.string() })),
  nameless: z.array(z.object({ path: z.string(), sizeBytes: z.number() }))
})

let dataDir: string
let engine: OpenStorageEngine
beforeEach(async () => {
  dataDir = temporaryFolder('verify')
  mkdirSync(join(dataDir, 'store'))
  engine = await createStorageEngine({
    directory: join(dataDir, 'store'),
    log: pino({ level: 'silent' }),
    reserveBytes: 0
  })
  await engine.createBucket({ name: 'media', owner: 'o' })
  onTestFinished(() => engine.close())
})

/** Puts an object; gives where its bytes are. */
async function put(key: string, text: string): Promise<string> {
  const path = await storedFile(engine, key, text)
  chmodSync(path, 0o600)
  return path
}

function verify(...args: string[]) {
  return runCommand(verifyCommand(), ['--data-dir', dataDir, ...args], { alsoErrors: true })
}

async function report(...args: string[]) {
  const { code, text } = await verify('--json', ...args)
  return { code, ...reportSchema.parse(JSON.parse(text)) }
}

test('a whole store is told as whole, also while it is in use', async () => {
  await put('a', 'bytes')
  await put('b', 'more')
  expect(await verify('--deep')).toEqual({
    code: 0,
    text: '2 objects in 2 files, 0.0 kB; every byte was read.\nAll of them are whole.\n'
  })
  await engine.close()
  expect(await report()).toMatchObject({ code: 0, objects: 2, files: 2, bytes: 9, damaged: [], nameless: [] })
})

describe('damage', () => {
  test('files that are missing, short or changed are told with their objects', async () => {
    const [missing, short, changed] = [await put('gone', '1'), await put('short', '22'), await put('bit', 'abc')]
    await engine.copyObject({ source: { bucket: 'media', key: 'short' }, bucket: 'media', key: 'copy' })
    await put('whole', 'x')
    rmSync(missing)
    truncateSync(short, 1)
    writeFileSync(changed, 'abb')
    const of = (...keys: string[]) => keys.map((key) => ({ bucket: 'media', key }))
    const shallow = [
      { what: 'missing', path: missing, objects: of('gone') },
      { what: 'wrong_size', path: short, objects: of('copy', 'short') }
    ]
    const quick = await report()
    expect(quick).toMatchObject({ code: 1, files: 4, nameless: [] })
    expect(quick.damaged).toEqual(expect.arrayContaining(shallow))
    expect(quick.damaged).toHaveLength(2)
    const deep = await report('--deep')
    expect(deep.damaged).toEqual(
      expect.arrayContaining([...shallow, { what: 'wrong_bytes', path: changed, objects: of('bit') }])
    )
    const { text } = await verify('--deep')
    expect(text).toContain(`media/bit: ${changed} holds other bytes than were written`)
  })

  test('is nothing of a file that cannot be opened now: it is told apart, and the others are looked at', async () => {
    const [locked, changed] = [await put('locked', 'x'), await put('bit', 'abc')]
    rmSync(locked)
    // As with a file that another program keeps for itself, every attempt to open it is refused.
    symlinkSync('x'.repeat(300), locked)
    for (const args of [[], ['--deep']])
      expect(await report(...args)).toMatchObject({
        code: 2,
        files: 2,
        damaged: [],
        unchecked: [{ path: locked, reason: 'ENAMETOOLONG' }]
      })
    const { text } = await verify()
    expect(text).toContain(`media/locked: ${locked} (ENAMETOOLONG)`)
    expect(text).not.toContain('whole.')
    writeFileSync(changed, 'abb')
    expect(await report('--deep')).toMatchObject({ code: 1, damaged: [{ path: changed }], unchecked: [{}] })
  })

  test('a damaged index is told with what to do', async () => {
    await put('a', 'bytes')
    await engine.close()
    writeFileSync(join(dataDir, 'store', 'index.db'), 'no database'.repeat(500))
    expect(await report()).toMatchObject({ code: 1, files: 0 })
    expect((await verify()).text).toContain('flightcase rebuild-index')
    rmSync(join(dataDir, 'store', 'index.db'))
    expect(await report()).toMatchObject({ code: 1, files: 0 })
  })
})

test('files that the index does not know are listed, and are no damage', async () => {
  const path = await put('a', 'bytes')
  const unknown = new BlobFiles(join(dataDir, 'store')).path(newId())
  cpSync(path, unknown)
  await engine.close()
  expect(await report()).toMatchObject({ code: 0, nameless: [{ path: unknown, sizeBytes: 5 }] })
  // A running base may be about to name it.
  const unlock = lockDataDir(dataDir)
  expect(await report()).toMatchObject({ code: 0, nameless: [] })
  unlock()
})

test('a store that is not there is code 2', async () => {
  await engine.close()
  renameSync(join(dataDir, 'store'), join(dataDir, 'elsewhere'))
  expect(await verify()).toEqual({ code: 2, text: expect.stringContaining('There is no object store in') })
})
