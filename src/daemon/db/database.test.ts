import { statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryFolder } from '../testing/test-database.ts'
import { type Database, openDatabase } from './database.ts'
import type { Migration } from './migrate.ts'

const notes: Migration = { version: 10, name: 'notes', up: (db) => db.exec('CREATE TABLE note (text TEXT) STRICT') }

function openNotes(onFollowUpError?: (error: unknown) => void): Database {
  const db = openDatabase(join(temporaryFolder(), 'a.db'), [notes], onFollowUpError)
  onTestFinished(() => db.close())
  return db
}

test.skipIf(process.platform === 'win32')('a new file and what lies beside it are for this user alone', () => {
  const db = openNotes()
  db.sql.exec("INSERT INTO note VALUES ('one')")
  for (const file of [db.sql.name, `${db.sql.name}-wal`]) expect(statSync(file).mode & 0o777).toBe(0o600)
})

test('follow-ups run after the commit and never after a rollback', () => {
  const db = openNotes()
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
})

test('a part that fails leaves nothing, also when the rest goes on', () => {
  const db = openNotes()
  const seen: string[] = []
  const add = (text: string) => db.prepare('INSERT INTO note (text) VALUES (?)').run(text)
  db.transaction(() => {
    add('kept')
    const fail = () => {
      add('half')
      db.afterCommit(() => seen.push('half'))
      throw new Error('no')
    }
    for (const attempt of [db.transaction, db.relaxedTransaction]) expect(() => attempt(fail)).toThrow('no')
    db.transaction(() => add('also kept'))
    db.afterCommit(() => seen.push('whole'))
  })
  expect(db.prepare('SELECT text FROM note').pluck().all()).toEqual(['kept', 'also kept'])
  expect(seen).toEqual(['whole'])
})

test('a follow-up that fails is reported, the others run, and the work stays done', () => {
  const errors: unknown[] = []
  const db = openNotes((error) => errors.push(error))
  const seen: string[] = []
  const result = db.transaction(() => {
    db.prepare(`INSERT INTO note (text) VALUES ('kept')`).run()
    db.afterCommit(() => {
      throw new Error('first')
    })
    db.afterCommit(() => seen.push('second'))
    return 'done'
  })
  expect(result).toBe('done')
  expect(seen).toEqual(['second'])
  expect(db.prepare('SELECT text FROM note').all()).toEqual([{ text: 'kept' }])
  db.afterCommit(() => {
    throw new Error('outside')
  })
  expect(errors).toMatchObject([{ message: 'first' }, { message: 'outside' }])
})

test('only the relaxed commit itself is spared the flush, not what follows it', () => {
  const db = openNotes()
  const level = (): unknown => db.sql.pragma('synchronous', { simple: true })
  const seen: unknown[] = []
  db.relaxedTransaction(() => {
    db.prepare(`INSERT INTO note (text) VALUES ('can be lost')`).run()
    seen.push(level())
    db.afterCommit(() => seen.push(level()))
  })
  expect(() =>
    db.relaxedTransaction(() => {
      throw new Error('no')
    })
  ).toThrow('no')
  expect([...seen, level()]).toEqual([1, 2, 2])
})
