import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { GroupCommit } from './group-commit.ts'

let statements: string[]
let db: Database.Database
let commits: GroupCommit
beforeEach(() => {
  statements = []
  db = new Database(':memory:', { verbose: (sql) => void statements.push(String(sql)) })
  db.exec('CREATE TABLE t (v INTEGER UNIQUE)')
  commits = new GroupCommit(db)
})
afterEach(() => db.close())

const insert = (value: number) => () => db.prepare('INSERT INTO t VALUES (?)').run(value).changes
const values = () => db.prepare('SELECT v FROM t ORDER BY v').pluck().all()
const count = (sql: string) => statements.filter((statement) => statement.toUpperCase().startsWith(sql)).length

it('shares one transaction among what arrives together', async () => {
  await Promise.all(Array.from({ length: 50 }, (_, at) => commits.run(insert(at))))
  expect(count('BEGIN')).toBe(1)
  expect(count('COMMIT')).toBe(1)
  expect(values()).toHaveLength(50)
})

it('undoes only the piece that failed', async () => {
  const outcomes = await Promise.allSettled([
    commits.run(insert(1)),
    commits.run(() => {
      insert(2)()
      throw new Error('no')
    }),
    commits.run(() => {
      insert(3)()
      insert(1)()
    }),
    commits.run(insert(4))
  ])
  expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled'])
  expect(values()).toEqual([1, 4])
})

it('answers only once the transaction is over', async () => {
  const inTransaction: boolean[] = []
  await Promise.all([1, 2].map((value) => commits.run(insert(value)).then(() => inTransaction.push(db.inTransaction))))
  expect(inTransaction).toEqual([false, false])
})

it('fails every piece when the commit fails, and works again afterwards', async () => {
  db.pragma('foreign_keys = ON')
  db.exec('CREATE TABLE child (v INTEGER REFERENCES t (v) DEFERRABLE INITIALLY DEFERRED)')
  const orphan = () => db.prepare('INSERT INTO child VALUES (99)').run()
  const outcomes = await Promise.allSettled([commits.run(insert(1)), commits.run(orphan)])
  expect(outcomes.map((outcome) => outcome.status)).toEqual(['rejected', 'rejected'])
  await commits.run(insert(2))
  expect(values()).toEqual([2])
})

it('tries again what did not fit, as soon as there is room, and gives up when there is none to be had', async () => {
  const big = () => db.prepare('INSERT INTO blob VALUES (zeroblob(100000))').run().changes
  db.exec('CREATE TABLE blob (bytes BLOB)')
  db.pragma('max_page_count = 4')
  let asked = 0
  const makeRoom = () => {
    if (asked++ === 0) db.pragma('max_page_count = 1000')
    return asked === 1
  }
  commits = new GroupCommit(db, { makeRoom })
  await Promise.all([commits.run(insert(1)), commits.run(big), commits.run(insert(2))])
  expect(values()).toEqual([1, 2])
  expect(asked).toBe(1)
  db.pragma('max_page_count = 1')
  await expect(Promise.all(Array.from({ length: 20 }, () => commits.run(big)))).rejects.toMatchObject({
    code: 'SQLITE_FULL'
  })
  expect(asked).toBe(2)
})
