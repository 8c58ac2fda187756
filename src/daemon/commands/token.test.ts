import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { expect, onTestFinished, test, vi } from 'vitest'
import { lockDataDir } from '../db/data-dir-lock.ts'
import { openDatabase } from '../db/database.ts'
import type { Migration } from '../db/migrate.ts'
import { migrations } from '../db/migrations/all.ts'
import { runCommand } from '../testing/run-command.ts'
import { temporaryFolder } from '../testing/test-database.ts'
import { tokenCommand } from './token.ts'

const newest = migrations.at(-1)!.version
const older = migrations.slice(0, -1)

async function token(dataDir: string, ...args: string[]): Promise<string> {
  return (await runCommand(tokenCommand(), [...args, '--data-dir', dataDir])).text
}

const create = (dataDir: string) => token(dataDir, 'create', '--name', 'wall display')

function fileOf(dataDir: string): string {
  return join(dataDir, 'flightcase.db')
}

function versionIn(dataDir: string): unknown {
  const sql = new Sqlite(fileOf(dataDir), { readonly: true, fileMustExist: true })
  const version = sql.pragma('user_version', { simple: true })
  sql.close()
  return version
}

/** What a daemon does to its folder as long as it runs; null: it has not come to the catalogue yet. */
function occupy(dataDir: string, known: readonly Migration[] | null): () => void {
  const unlock = lockDataDir(dataDir)
  const db = known && openDatabase(fileOf(dataDir), known)
  const stop = () => {
    db?.close()
    unlock()
  }
  onTestFinished(stop)
  return stop
}

const makeData = (dataDir: string) => openDatabase(fileOf(dataDir), migrations).close()

test('works beside a running daemon of the same version', async () => {
  const dataDir = temporaryFolder('token')
  occupy(dataDir, migrations)
  expect(await create(dataDir)).toMatch(/^fc_/)
  expect(await token(dataDir, 'list')).toContain('wall display')
})

test('limits a token to workspaces, which must be possible ones', async () => {
  const dataDir = temporaryFolder('token')
  makeData(dataDir)
  const made = await token(dataDir, 'create', '--name', 'chat', '--workspace', 'alpha', 'bravo', '--json')
  expect(JSON.parse(made)).toMatchObject({ role: 'operator', workspaceIds: ['alpha', 'bravo'] })
  expect(await token(dataDir, 'list')).toContain('chat  in alpha, bravo')
  const exit = vi.spyOn(process, 'exit').mockImplementation((code) => {
    throw new Error(`exit ${code}`)
  })
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  onTestFinished(() => {
    exit.mockRestore()
    stderr.mockRestore()
  })
  await expect(token(dataDir, 'create', '--name', 'chat', '--workspace', '../x')).rejects.toThrow('exit 1')
})

test('leaves the data of a running daemon of another version alone', async () => {
  const dataDir = temporaryFolder('token')
  const stop = occupy(dataDir, older)
  const before = readdirSync(dataDir)
  await expect(create(dataDir)).rejects.toMatchObject({
    code: 'other_version_running',
    message: expect.stringContaining('of another version')
  })
  expect(versionIn(dataDir)).toBe(older.at(-1)!.version)
  expect(readdirSync(dataDir)).toEqual(before)
  stop()
  await create(dataDir)
  expect(versionIn(dataDir)).toBe(newest)
})

test.each([['create', '--name', 'RC-1'], ['create', '--name', 'RC-1', '--json'], ['list'], ['revoke', 'tok_1']])(
  '%s in a folder without a base names the folder and makes nothing',
  async (...args) => {
    const dataDir = join(temporaryFolder('token'), 'mistyped')
    const refusal = { code: 'no_catalogue', message: expect.stringMatching(/mistyped,.*--data-dir/) }
    await expect(token(dataDir, ...args)).rejects.toMatchObject(refusal)
    expect(existsSync(dataDir)).toBe(false)
    occupy(dataDir, null)
    const before = readdirSync(dataDir)
    await expect(token(dataDir, ...args)).rejects.toMatchObject(refusal)
    expect(readdirSync(dataDir)).toEqual(before)
  }
)

test('an id that no token has is told in words', async () => {
  const dataDir = temporaryFolder('token')
  makeData(dataDir)
  await expect(token(dataDir, 'revoke', 'nope')).rejects.toMatchObject({
    code: 'token_not_found',
    message: expect.stringContaining('no token nope')
  })
})

test('a catalogue that is none is told in words and left as it is', async () => {
  const dataDir = temporaryFolder('token')
  writeFileSync(fileOf(dataDir), 'holiday pictures')
  await expect(create(dataDir)).rejects.toMatchObject({
    code: 'data_dir_unusable',
    message: expect.stringContaining(dataDir)
  })
  expect(readFileSync(fileOf(dataDir), 'utf8')).toBe('holiday pictures')
})

test('says so when the data is of a newer program', async () => {
  const dataDir = temporaryFolder('token')
  const newer = { version: newest + 10, name: 'newer', up: () => {} }
  openDatabase(fileOf(dataDir), [...migrations, newer]).close()
  await expect(create(dataDir)).rejects.toMatchObject({ code: 'database_newer' })
})
