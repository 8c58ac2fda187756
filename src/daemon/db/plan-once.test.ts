import Sqlite from 'better-sqlite3'
import { expect, test } from 'vitest'
import { planOnce } from './plan-once.ts'

test('parameters behind a sign keep their values, of every type', () => {
  const db = new Sqlite(':memory:')
  planOnce(db)
  db.exec('CREATE TABLE item (id TEXT PRIMARY KEY, bytes BLOB, number INTEGER) STRICT')
  const bytes = Buffer.from([0, 255])
  db.prepare('INSERT INTO item VALUES (?, NULL, NULL)').run('+1')
  expect(
    db.prepare('UPDATE item SET bytes = ?, number=@number WHERE id = ?').run(bytes, '+1', { number: 2 }).changes
  ).toBe(1)
  const find = db.prepare('SELECT * FROM item WHERE bytes = ? AND number >= ? AND id = ? LIMIT ?')
  expect(find.all(bytes, 2, '+1', 5)).toEqual([{ id: '+1', bytes, number: 2 }])
  expect(find.all(bytes, 2, '+1', 0)).toEqual([])
  expect(find.all(bytes, 3, '+1', 5)).toEqual([])
  expect(find.source).toContain('id = +? LIMIT +?')
})
