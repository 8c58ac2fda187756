import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openLogFile } from './log-file.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'flightcase-log-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const fail = (_chunk: unknown, cause: unknown) => {
  throw cause
}

test('appends across openings and keeps one older file', () => {
  const filePath = join(dir, 'logs', 'daemon.log')
  openLogFile(filePath, 8, fail)('one ')
  const log = openLogFile(filePath, 8, fail)
  log('two three ')
  log('four ')
  log(Buffer.from('five'))
  expect(readFileSync(`${filePath}.old`, 'utf8')).toBe('one two three ')
  expect(readFileSync(filePath, 'utf8')).toBe('four five')
  expect(readdirSync(join(dir, 'logs'))).toEqual(['daemon.log', 'daemon.log.old'])
})

test('hands over what cannot be written', () => {
  const filePath = join(dir, 'gone', 'daemon.log')
  const lost: string[] = []
  const log = openLogFile(filePath, 8, (chunk) => lost.push(String(chunk)))
  rmSync(join(dir, 'gone'), { recursive: true })
  log('kept')
  expect(lost).toEqual(['kept'])
})
