import { copyFile, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { takeFileLock } from '../../../db/file-lock.ts'
import { StartupError } from '../../../errors.ts'
import { syncFile } from '../../../files.ts'
import { BlobFiles } from '../blob-files.ts'
import { isDiskFull } from '../disk-errors.ts'
import { type IndexDatabase, openIndexDatabase } from '../index-database.ts'
import { enterUse } from '../store-root.ts'
import { CommitTrail } from './commit-trail.ts'
import { exchangeIndex } from './exchange-index.ts'
import { type NamelessFile, namelessFiles, objectsInFiles } from './files-and-rows.ts'
import { isUsedIndex } from './index-there.ts'
import { IndexThread } from './index-thread.ts'
import { LastCommit } from './last-commit.ts'
import { setNamelessAside } from './nameless-files.ts'
import { RecoveryFolder } from './recovery-folder.ts'
import { beginOf, readLog, UnreadableLog } from './recovery-record.ts'
import { COUNT_REFERENCES } from './reference-counts.ts'
import { Replay } from './replay.ts'

const INDEX = 'index.db'
const DRAFT = 'index.db.rebuilding'
const RECORDS_PER_TRANSACTION = 1000

export type RebuildReport = {
  /** The copy that was begun with; null: there was none that is whole. */
  backup: string | null
  logs: number
  /** Lines of the logs that were torn or changed, of which nothing was taken. */
  unreadableLines: number
  /** Logs that the disk does not give back, at least from somewhere on. */
  unreadableLogs: string[]
  /** False where neither a copy nor a log tells of some time: what was written then has lost its name, or came back. */
  isGapless: boolean
  objects: number
  objectBytes: number
  /** Objects whose payload files are missing or have another size. */
  damaged: { bucket: string; key: string }[]
  /** Payload files that nothing names. They are kept, and where anything could not be read so are those that turn up later. */
  nameless: NamelessFile[]
  /** Where the index lies that was there before; null: there was none. */
  setAside: string | null
}

/**
 * Makes the index of the store in a directory anew: from the newest copy that is whole, the logs since, and the payload files, which it
 * only looks at. The index that is there is set aside. With `setsNamelessAside` the files that have no name are then moved out of the way
 * (see nameless-files.ts). Raises `StartupError`: `store_in_use`, `nothing_to_rebuild_from`.
 */
export async function rebuildIndex(
  directory: string,
  { setsNamelessAside = false }: { setsNamelessAside?: boolean } = {}
): Promise<RebuildReport> {
  const unlock = takeFileLock(join(directory, 'store.lock'))
  if (!unlock)
    throw new StartupError('store_in_use', `Flightcase is using the object store in ${directory}. Stop it first.`)
  try {
    await removeDrafts(directory)
    const folder = new RecoveryFolder(directory)
    const base = await chooseBase(folder, join(directory, DRAFT))
    const report = await makeDraft(directory, folder, base)
    const setAside = await exchangeIndex(join(directory, INDEX), join(directory, DRAFT))
    const nameless = setsNamelessAside ? await setNamelessAside(directory, report.nameless) : report.nameless
    return { ...report, nameless, setAside }
  } finally {
    await removeDrafts(directory)
    unlock()
  }
}

/** What to begin with, and the logs to read then. */
type Base = { backup: string | null; logs: number[]; isGapless: boolean }

/** Puts the newest whole copy where the draft is to be; without one, the logs have to do. */
async function chooseBase(folder: RecoveryFolder, draft: string): Promise<Base> {
  const { logs, backups } = folder.list()
  const begun = await newestFromNothing(folder, logs)
  for (const number of backups.toReversed()) {
    // What was before the store was begun anew is of another store.
    if (number < (begun ?? 0)) break
    if (await copyIfWhole(folder.backup(number), draft))
      return { backup: folder.backup(number), ...since(logs, number) }
    await rm(draft, { force: true })
  }
  if (begun !== null) return { backup: null, ...since(logs, begun) }
  if (logs.length > 0) return { backup: null, logs, isGapless: false }
  throw new StartupError(
    'nothing_to_rebuild_from',
    `${folder.path} holds neither a whole copy of the index nor a log. Nothing was changed.`
  )
}

function since(logs: readonly number[], first: number): Pick<Base, 'logs' | 'isGapless'> {
  const needed = logs.filter((number) => number >= first)
  return { logs: needed, isGapless: needed.length > 0 && needed.every((number, at) => number === first + at) }
}

async function newestFromNothing(folder: RecoveryFolder, logs: readonly number[]): Promise<number | null> {
  for (const number of logs.toReversed()) if ((await beginOf(folder.log(number)))?.fromNothing) return number
  return null
}

/** An older copy, and more logs, have to do for one that is damaged or cannot be read. */
async function copyIfWhole(backup: string, draft: string): Promise<boolean> {
  try {
    await copyFile(backup, draft)
  } catch (error) {
    if (isDiskFull(error)) throw error
    return false
  }
  const problems = await new IndexThread().check(draft, 'quick')
  return problems.length === 0 && isUsedIndex(draft)
}

async function makeDraft(
  directory: string,
  folder: RecoveryFolder,
  base: Base
): Promise<Omit<RebuildReport, 'setAside'>> {
  const draft = join(directory, DRAFT)
  const db = openIndexDatabase(draft)
  try {
    const { storeId, ...told } = await replay(db, folder, base)
    const compared = await compareWithFiles(db, directory)
    const isComplete = told.isGapless && told.unreadableLines === 0
    enterUse(directory, db, { storeId, doubted: !isComplete || compared.nameless.length > 0 })
    db.pragma('wal_checkpoint(TRUNCATE)')
    return { backup: base.backup, logs: base.logs.length, ...told, ...compared }
  } finally {
    db.close()
    await syncFile(draft)
  }
}

async function replay(
  db: IndexDatabase,
  folder: RecoveryFolder,
  base: Base
): Promise<Pick<RebuildReport, 'unreadableLines' | 'unreadableLogs' | 'isGapless'> & { storeId: string | null }> {
  const replay = new Replay(db)
  const lastCommit = new LastCommit(db)
  const trail = new CommitTrail(base.backup === null ? null : lastCommit.range().last)
  let storeId: string | null = null
  let unreadableLines = 0
  const unreadableLogs: string[] = []
  let records = 0
  db.exec('BEGIN')
  for (const path of base.logs.map((number) => folder.log(number)))
    try {
      for await (const record of readLog(path)) {
        trail.see(record)
        if (record === null) unreadableLines++
        else if (record.what === 'begin') storeId = record.storeId
        else replay.apply(record)
        if (++records % RECORDS_PER_TRANSACTION === 0) db.exec('COMMIT; BEGIN')
      }
    } catch (error) {
      if (!(error instanceof UnreadableLog)) throw error
      unreadableLogs.push(path)
    }
  const isGapless = base.isGapless && !trail.hasGap && unreadableLogs.length === 0
  // A number that no log tells of: the next start sees that they do not tell all, and makes a copy at once.
  const last = isGapless ? trail.last : trail.last + 2
  lastCommit.replaceBy({ first: last, last })
  db.exec('COMMIT')
  return { storeId, unreadableLines, unreadableLogs, isGapless }
}

type Compared = Pick<RebuildReport, 'objects' | 'objectBytes' | 'damaged' | 'nameless'>

/** Counts references, and looks which files are there for the rows and which rows for the files. */
async function compareWithFiles(db: IndexDatabase, directory: string): Promise<Compared> {
  const files = new BlobFiles(directory)
  const blobs = db.prepare<[], { id: string; sizeBytes: number }>('SELECT id, size_bytes AS sizeBytes FROM blob').all()
  const gone = new Set<string>()
  for (const { id, sizeBytes } of blobs) if ((await files.sizeOf(id)) !== sizeBytes) gone.add(id)
  // Of an unfinished upload, whoever sends it has the parts that are not there.
  const forgetParts = db.prepare<[string]>('DELETE FROM part WHERE blob_id = ?')
  db.transaction(() => {
    for (const id of gone) forgetParts.run(id)
    db.exec(COUNT_REFERENCES)
    db.exec('DELETE FROM gc; DELETE FROM blob WHERE refcount = 0')
  })()
  const totals = db
    .prepare<[], { objects: number; objectBytes: number }>(
      'SELECT COUNT(*) AS objects, COALESCE(SUM(size_bytes), 0) AS objectBytes FROM object'
    )
    .get()
  const nameless: NamelessFile[] = []
  for await (const file of namelessFiles(db, files)) nameless.push(file)
  return {
    objects: totals?.objects ?? 0,
    objectBytes: totals?.objectBytes ?? 0,
    damaged: [...gone].flatMap(objectsInFiles(db)),
    nameless
  }
}

async function removeDrafts(directory: string): Promise<void> {
  const names = await readdir(directory)
  for (const name of names.filter((name) => name.startsWith(DRAFT))) await rm(join(directory, name))
}
