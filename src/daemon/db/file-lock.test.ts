import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryFolder } from '../testing/test-database.ts'
import { isFileLocked, takeFileLock } from './file-lock.ts'

test('one holder at a time, and again after it is given back', () => {
  const file = join(temporaryFolder('lock'), 'a.lock')
  const unlock = takeFileLock(file)!
  expect(takeFileLock(file)).toBeNull()
  unlock()
  const again = takeFileLock(file)
  expect(again).not.toBeNull()
  again!()
})

test('whether it is taken can be seen, and where not, that is said', () => {
  const file = join(temporaryFolder('lock'), 'a.lock')
  expect(isFileLocked(file)).toBe(false)
  const unlock = takeFileLock(file)!
  expect(isFileLocked(file)).toBe(true)
  unlock()
  expect(isFileLocked(file)).toBe(false)
  const unreadable = temporaryFolder('lock')
  expect(isFileLocked(unreadable)).toBeNull()
})

test('whoever only looks is waited for', async () => {
  const file = join(temporaryFolder('lock'), 'a.lock')
  takeFileLock(file)!()
  const script = `import Sqlite from ${JSON.stringify(import.meta.resolve('better-sqlite3'))}
    const look = new Sqlite(${JSON.stringify(file)}, { readonly: true })
    look.exec('BEGIN; SELECT * FROM sqlite_schema')
    process.stdout.write('looking')
    setTimeout(() => look.close(), 50)`
  const looker = spawn(process.execPath, ['--input-type=module', '-e', script])
  onTestFinished(() => void looker.kill('SIGKILL'))
  await once(looker.stdout, 'data')
  const unlock = takeFileLock(file)
  expect(unlock).not.toBeNull()
  unlock!()
})

test('a killed process leaves nothing in the way', async () => {
  const file = join(temporaryFolder('lock'), 'a.lock')
  const script = `import { takeFileLock } from ${JSON.stringify(new URL('./file-lock.ts', import.meta.url).href)}
    process.stdout.write(takeFileLock(${JSON.stringify(file)}) ? 'taken' : 'refused')
    setInterval(() => {}, 1000)`
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script])
  onTestFinished(() => void holder.kill('SIGKILL'))
  const [said] = (await once(holder.stdout, 'data')) as [Buffer]
  expect(said.toString()).toBe('taken')
  expect(takeFileLock(file)).toBeNull()
  const ended = once(holder, 'exit')
  holder.kill('SIGKILL')
  await ended
  const unlock = takeFileLock(file)
  expect(unlock).not.toBeNull()
  unlock!()
})

test('a folder that is not there is an error, not a holder', () => {
  expect(() => takeFileLock(join(temporaryFolder('lock'), 'none', 'a.lock'))).toThrow(/directory does not exist/)
})
