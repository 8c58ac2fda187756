import type { Logger } from 'pino'
import { StartupError } from '../../../errors.ts'
import { GC_DELAY_MS } from '../blob-rows.ts'
import type { IndexDatabase } from '../index-database.ts'
import { CommitTrail } from './commit-trail.ts'
import { LastCommit } from './last-commit.ts'
import { findNewestLog, type NewestLog } from './log-end.ts'
import type { RecoveryFolder } from './recovery-folder.ts'
import { beginOf, type RecoveryRecord, readLog, UnreadableLog } from './recovery-record.ts'
import { COUNT_REFERENCES } from './reference-counts.ts'
import { Replay } from './replay.ts'

/**
 * Holds the index against the logs at the start, and gives the newest log. Commits that the log tells of and the index lost (its WAL went, an
 * older copy was put in its place, a disk had not written what it said it had) are brought in; payload files that it does not know then, or
 * where nobody can say what it lost, are kept from then on. Raises `StartupError('store_index_older')` where the logs do not tell all of
 * them; nothing is changed then.
 */
export async function catchUp(deps: {
  db: IndexDatabase
  folder: RecoveryFolder
  log: Logger
  now: () => number
}): Promise<NewestLog | null> {
  const { db, folder, log } = deps
  const storeId = db.prepare<[], string>('SELECT store_id FROM store_use').pluck().get()
  if (storeId === undefined) return null
  const { newest, isCertain } = await findNewestLog(folder, { storeId, log })
  const known = new LastCommit(db).range().last
  if (newest !== null && newest.end.commit > known) {
    await bringIn({ ...deps, storeId, known, upTo: newest.end.commit })
    log.warn({ from: known, to: newest.end.commit }, 'the index of the object store had lost commits, which are back')
  } else if (!isCertain) keepUnknownFiles(db)
  return newest
}

async function bringIn({
  db,
  folder,
  now,
  storeId,
  known,
  upTo
}: {
  db: IndexDatabase
  folder: RecoveryFolder
  now: () => number
  storeId: string
  known: number
  upTo: number
}): Promise<void> {
  const trail = new CommitTrail(known)
  const replay = new Replay(db)
  db.exec('BEGIN IMMEDIATE')
  try {
    let records: RecoveryRecord[] = []
    let isOwn = true
    for (const number of await logsSince(folder, known))
      for await (const record of readLog(folder.log(number))) {
        trail.see(record)
        if (record?.what === 'begin') isOwn &&= record.storeId === storeId
        else if (record?.what !== 'commit') records.push(...(record ? [record] : []))
        else {
          if (record.last > known) for (const each of records) replay.apply(each)
          records = []
        }
      }
    for (const each of records) replay.apply(each)
    if (!isOwn || trail.hasGap || trail.last < upTo) throw indexOlder(db.name, trail.last - known)
    db.exec(COUNT_REFERENCES)
    db.prepare<[number]>(
      `INSERT OR IGNORE INTO gc (blob_id, not_before_ms) SELECT id, ? FROM blob WHERE refcount = 0`
    ).run(now() + GC_DELAY_MS)
    new LastCommit(db).replaceBy({ first: trail.last, last: trail.last })
    keepUnknownFiles(db)
    db.exec('COMMIT')
  } catch (error) {
    if (db.inTransaction) db.exec('ROLLBACK')
    throw error instanceof UnreadableLog ? indexOlder(db.name, trail.last - known) : error
  }
}

/** The logs from the newest on that was begun before a commit. */
async function logsSince(folder: RecoveryFolder, commit: number): Promise<number[]> {
  const { logs } = folder.list()
  for (const number of logs.toReversed()) {
    const begin = await beginOf(folder.log(number))
    if (begin !== null && begin.commit <= commit) return logs.filter((each) => each >= number)
  }
  return logs
}

function keepUnknownFiles(db: IndexDatabase): void {
  db.prepare('UPDATE store_use SET doubted = 1').run()
}

function indexOlder(indexPath: string, commits: number): StartupError {
  return new StartupError(
    'store_index_older',
    `The index of the object store, ${indexPath}, has lost what was written last (at least ${commits} changes), and the logs ` +
      'since do not tell all of it. Nothing was changed. Call "flightcase rebuild-index", which makes it anew from a newer copy ' +
      'and the logs since.'
  )
}
