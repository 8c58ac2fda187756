import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { describe, expect, onTestFinished, test } from 'vitest'
import { temporaryFolder } from '../testing/test-database.ts'
import { backUp } from './backup.ts'
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

test('data is carried from N-1 to N, and a copy of the file before is kept', () => {
  const folder = temporaryFolder()
  const file = join(folder, 'a.db')
  const before = openDatabase(file, [first])
  before.prepare('INSERT INTO note (text) VALUES (?)').run('hello')
  before.close()
  const after = openDatabase(file, [first, second])
  expect(after.prepare('SELECT * FROM note').all()).toEqual([{ text: 'hello', length: 5 }])
  after.close()
  const copy = new Sqlite(`${file}.v10`)
  expect(copy.prepare('SELECT * FROM note').all()).toEqual([{ text: 'hello' }])
  expect(copy.pragma('user_version', { simple: true })).toBe(10)
  copy.close()
  expect(readdirSync(folder).sort()).toEqual(['a.db', 'a.db.v10'])
})

describe('the copy before a migration', () => {
  const broken: Migration = {
    version: 20,
    name: 'broken',
    up: (db) => db.exec('CREATE TABLE other (a TEXT) STRICT; INSERT INTO nowhere VALUES (1)')
  }
  const fileWith = (text: string): string => {
    const file = join(temporaryFolder(), 'a.db')
    add(file, text)
    return file
  }
  const add = (file: string, text: string): void => {
    const db = openDatabase(file, [first])
    db.prepare('INSERT INTO note (text) VALUES (?)').run(text)
    db.close()
  }
  const notesIn = (file: string): unknown[] => {
    const db = new Sqlite(file, { readonly: true, fileMustExist: true })
    const texts = db.prepare('SELECT text FROM note').pluck().all()
    db.close()
    return texts
  }

  test('never replaces an older one', () => {
    const file = fileWith('one')
    expect(() => openDatabase(file, [first, broken])).toThrow('nowhere')
    add(file, 'two')
    openDatabase(file, [first, second]).close()
    expect(notesIn(`${file}.v10`)).toEqual(['one'])
    expect(notesIn(`${file}.v10-2`)).toEqual(['one', 'two'])
  })

  test('is made once, however often a step fails', () => {
    const file = fileWith('one')
    for (let start = 0; start < 3; start++) expect(() => openDatabase(file, [first, broken])).toThrow('nowhere')
    expect(readdirSync(dirname(file)).sort()).toEqual(['a.db', 'a.db.v10'])
  })

  test('is whole though one that was cut off was left behind', () => {
    const file = fileWith('one')
    writeFileSync(`${file}.backup.tmp`, 'half of it')
    writeFileSync(`${file}.backup.tmp-journal`, 'and its journal')
    openDatabase(file, [first, second]).close()
    expect(notesIn(`${file}.v10`)).toEqual(['one'])
    expect(readdirSync(dirname(file)).sort()).toEqual(['a.db', 'a.db.v10'])
  })

  test('holds what is still in the write-ahead log', () => {
    const file = fileWith('one')
    const reader = new Sqlite(file)
    onTestFinished(() => void reader.close())
    reader.exec(`INSERT INTO note (text) VALUES ('two'); BEGIN`)
    reader.prepare('SELECT * FROM note').all()
    const db = new Sqlite(file)
    backUp(db, file, 10)
    db.close()
    expect(notesIn(`${file}.v10`)).toEqual(['one', 'two'])
  })

  test('is not made and nothing is changed when it has no place', () => {
    const file = fileWith('one')
    mkdirSync(`${file}.backup.tmp`)
    expect(() => openDatabase(file, [first, second])).toThrow(
      expect.objectContaining({ name: 'StartupError', code: 'backup_failed' })
    )
    const db = new Sqlite(file)
    expect(db.pragma('user_version', { simple: true })).toBe(10)
    db.close()
  })

  test.skipIf(process.platform === 'win32')('is as private as the file', () => {
    const file = fileWith('one')
    chmodSync(file, 0o600)
    openDatabase(file, [first, second]).close()
    expect(statSync(`${file}.v10`).mode & 0o777).toBe(0o600)
  })
})

test('a file of a newer program is refused and left as it is', () => {
  const file = join(temporaryFolder(), 'a.db')
  openDatabase(file, [first, second]).close()
  expect(() => openDatabase(file, [first])).toThrow(/newer Flightcase \(data version 20, this program knows 10\)/)
  const db = new Sqlite(file)
  expect(db.pragma('user_version', { simple: true })).toBe(20)
  db.close()
  expect(existsSync(`${file}.v20`)).toBe(false)
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
