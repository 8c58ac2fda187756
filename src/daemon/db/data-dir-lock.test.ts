import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryFolder } from '../testing/test-database.ts'
import { lockDataDir } from './data-dir-lock.ts'
import { dataDirProblem } from './data-dir-problem.ts'

/** What a person is told; everything else is thrown on. */
function refusalOf(dataDir: string): string {
  try {
    onTestFinished(lockDataDir(dataDir))
  } catch (error) {
    const problem = dataDirProblem(dataDir, error)
    expect(problem).toMatchObject({ name: 'StartupError', code: 'data_dir_unusable', cause: error })
    return (problem as Error).message
  }
  throw new Error('accepted')
}

test('makes the folder with all above it, for this user only', () => {
  const dataDir = join(temporaryFolder('lock'), 'a', 'b')
  onTestFinished(lockDataDir(dataDir))
  expect(statSync(dataDir).mode & 0o777).toBe(0o700)
})

test('a file, or something below one', () => {
  const file = join(temporaryFolder('lock'), 'file')
  writeFileSync(file, '')
  for (const dataDir of [file, join(file, 'a', 'b')]) {
    const message = refusalOf(dataDir)
    expect(message).toContain(`${dataDir} cannot be used: it is a file`)
    expect(message).toContain('--data-dir')
  }
})

// Every new folder is "no such file" there, which Node's recursive mkdir tries again for ever.
test.runIf(process.platform === 'linux')('a place where no folder can be made', () => {
  expect(refusalOf('/proc/flightcase/data')).toContain('no folder can be made there')
})

test.skipIf(process.platform === 'win32' || process.getuid?.() === 0)('a folder one may not write to', () => {
  const dataDir = join(temporaryFolder('lock'), 'read-only')
  mkdirSync(dataDir, { mode: 0o500 })
  expect(refusalOf(dataDir)).toContain('may not write there')
})

test('files in it that cannot be opened', () => {
  const dataDir = temporaryFolder('lock')
  mkdirSync(join(dataDir, 'flightcase.lock'))
  expect(refusalOf(dataDir)).toContain('cannot be opened')
})

test('an error of another kind is left as it is', () => {
  const bug = new TypeError('x is not a function')
  expect(dataDirProblem('/data', bug)).toBe(bug)
})
