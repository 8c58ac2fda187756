import { existsSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../testing/test-database.ts'
import { openDatabase } from './database.ts'
import type { Migration } from './migrate.ts'
import { migrations } from './migrations/all.ts'

const first: Migration = { version: 10, name: 'first', up: (db) => db.exec('CREATE TABLE note (text TEXT) STRICT') }
const second: Migration = {
  version: 20,
  name: 'second',
  up: (db) => db.exec(`ALTER TABLE note ADD COLUMN length INTEGER; UPDATE note SET length = length(text)`)
}

test('a new file gets every migration', () => {
  const db = openDatabase(join(temporaryFolder(), 'a.db'), migrations)
  expect(db.sql.pragma('user_version', { simple: true })).toBe(migrations.at(-1)!.version)
  expect(db.sql.pragma('integrity_check', { simple: true })).toBe('ok')
  expect(db.sql.pragma('journal_mode', { simple: true })).toBe('wal')
  expect(db.sql.pragma('synchronous', { simple: true })).toBe(2)
  expect(db.sql.pragma('foreign_keys', { simple: true })).toBe(1)
  const loose = db.sql.prepare(
    `SELECT name FROM pragma_table_list WHERE strict = 0 AND type = 'table' AND name NOT LIKE 'sqlite%'`
  )
  expect(loose.all()).toEqual([])
  db.close()
})

test('data is carried from N-1 to N, and the file before is kept aside', () => {
  const file = join(temporaryFolder(), 'a.db')
  const before = openDatabase(file, [first])
  before.prepare('INSERT INTO note (text) VALUES (?)').run('hello')
  before.close()
  const after = openDatabase(file, [first, second])
  expect(after.prepare('SELECT * FROM note').all()).toEqual([{ text: 'hello', length: 5 }])
  after.close()
  const copy = new Sqlite(`${file}.before-20`)
  expect(copy.prepare('SELECT * FROM note').all()).toEqual([{ text: 'hello' }])
  expect(copy.pragma('user_version', { simple: true })).toBe(10)
  copy.close()
})

test('a file of a newer program is refused and left as it is', () => {
  const file = join(temporaryFolder(), 'a.db')
  openDatabase(file, [first, second]).close()
  expect(() => openDatabase(file, [first])).toThrow(/newer Flightcase \(data version 20, this program knows 10\)/)
  const db = new Sqlite(file)
  expect(db.pragma('user_version', { simple: true })).toBe(20)
  db.close()
  expect(existsSync(`${file}.before-10`)).toBe(false)
})

test('a step that fails changes nothing', () => {
  const file = join(temporaryFolder(), 'a.db')
  openDatabase(file, [first]).close()
  const broken: Migration = {
    version: 20,
    name: 'broken',
    up: (db) => db.exec('CREATE TABLE other (a TEXT) STRICT; INSERT INTO nowhere VALUES (1)')
  }
  expect(() => openDatabase(file, [first, broken])).toThrow('nowhere')
  const db = openDatabase(file, [first])
  expect(db.prepare(`SELECT name FROM sqlite_schema WHERE name = 'other'`).all()).toEqual([])
  db.close()
})

test('versions must ascend', () => {
  expect(() => openDatabase(join(temporaryFolder(), 'a.db'), [second, first])).toThrow('does not come after')
})

test('follow-ups run after the commit and never after a rollback', () => {
  const db = openDatabase(join(temporaryFolder(), 'a.db'), [first])
  const seen: string[] = []
  expect(() =>
    db.transaction(() => {
      db.afterCommit(() => seen.push('lost'))
      throw new Error('no')
    })
  ).toThrow('no')
  db.transaction(() => {
    db.transaction(() => db.afterCommit(() => seen.push('inner')))
    seen.push('still inside')
  })
  expect(seen).toEqual(['still inside', 'inner'])
  db.close()
})
