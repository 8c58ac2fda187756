import { appendFileSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { lockDataDir } from '../db/data-dir-lock.ts'
import { createStorageEngine } from '../embedded-store/engine/create-storage-engine.ts'
import { runCommand } from '../testing/run-command.ts'
import { storedFile } from '../testing/stored-file.ts'
import { temporaryFolder } from '../testing/test-database.ts'
import { rebuildIndexCommand } from './rebuild-index.ts'

async function rebuildIndex(dataDir: string, ...options: string[]): Promise<string> {
  return (await runCommand(rebuildIndexCommand(), ['--data-dir', dataDir, ...options])).text
}

test('a lost index comes back, and what has no name is told', async () => {
  const dataDir = temporaryFolder('rebuild')
  const directory = join(dataDir, 'store')
  mkdirSync(directory)
  const open = () => createStorageEngine({ directory, log: pino({ level: 'silent' }), reserveBytes: 0 })
  const engine = await open()
  await engine.createBucket({ name: 'media', owner: 'o' })
  const path = await storedFile(engine, 'k', 'abc')
  await engine.deleteObject('media', 'k')
  await engine.close()
  rmSync(join(directory, 'index.db'))
  await expect(open()).rejects.toThrow('flightcase rebuild-index')
  const told = await rebuildIndex(dataDir)
  expect(told).toContain('made anew from 1 log: 0 objects')
  expect(told).toContain(path)
  expect(process.exitCode).toBeUndefined()
  await (await open()).close()
  const moved = join(directory, 'nameless', basename(path))
  expect(await rebuildIndex(dataDir, '--set-aside')).toContain(moved)
  expect([existsSync(path), existsSync(moved)]).toEqual([false, true])
  appendFileSync(join(directory, 'recovery', '000001.log'), 'torn')
  expect(await rebuildIndex(dataDir)).toContain('1 line could not be read')
  expect(process.exitCode).toBe(1)
})

test('a base that runs is left alone, and so is a folder without a store', async () => {
  const dataDir = temporaryFolder('rebuild')
  await expect(rebuildIndex(dataDir)).rejects.toMatchObject({ code: 'no_store' })
  mkdirSync(join(dataDir, 'store'))
  const unlock = lockDataDir(dataDir)
  await expect(rebuildIndex(dataDir)).rejects.toMatchObject({ code: 'data_dir_in_use' })
  unlock()
})
