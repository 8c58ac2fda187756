import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import type { Logger } from 'pino'
import { takeFileLock } from '../../db/file-lock.ts'
import { Activity } from './activity.ts'
import { Ballast } from './ballast.ts'
import { BlobFiles } from './blob-files.ts'
import { BlobRows } from './blob-rows.ts'
import { BodyStaging, type EngineHooks } from './body-writer.ts'
import { Buckets } from './buckets.ts'
import { Caretaker } from './caretaker.ts'
import { Contiguous } from './contiguous.ts'
import { Damage } from './damage.ts'
import { asStorageError } from './disk-errors.ts'
import { EngineEvents } from './engine-events.ts'
import { GroupCommit } from './group-commit.ts'
import { HashWorkers } from './hash-workers.ts'
import { Housekeeping } from './housekeeping.ts'
import { IdleCompaction } from './idle-compaction.ts'
import { type IndexDatabase, openIndexDatabase } from './index-database.ts'
import { Listing } from './listing.ts'
import { ObjectRows } from './object-rows.ts'
import { Objects } from './objects.ts'
import { QuietPace } from './quiet-pace.ts'
import { catchUp } from './recovery/catch-up.ts'
import { assertIndexWhole, IndexKeeper, indexDamaged } from './recovery/index-keeper.ts'
import { assertIndexThere } from './recovery/index-there.ts'
import { RecoveryFolder } from './recovery/recovery-folder.ts'
import { RecoveryLog } from './recovery/recovery-log.ts'
import { ScrubRows } from './scrub-rows.ts'
import { Scrubber } from './scrubber.ts'
import { SpaceLedger, type VolumeSpace, volumeSpace } from './space-ledger.ts'
import { type StorageEngine, StorageError } from './storage-engine.ts'
import type { StoreMaintenance } from './store-maintenance.ts'
import { StoreRoot } from './store-root.ts'
import { assertSuitablePlace } from './suitable-volume.ts'
import { UploadRows } from './upload-rows.ts'
import { Uploads } from './uploads.ts'
import { UsageRows } from './usage-rows.ts'

export type StorageEngineOptions = {
  /** Made when missing. One volume, used by this engine alone. */
  directory: string
  log: Logger
  /** Space never given to bodies; left out, 2 GiB or 5 % of the volume and room for the index. */
  reserveBytes?: number
  /** Size of the file that gives its room to the index on a full disk; chosen by the volume unless given, 0 for none. */
  ballastBytes?: number
  /** Milliseconds since the epoch; the system clock unless given. */
  clock?: () => number
  /** Measures the volume; the real one unless given. */
  space?: () => Promise<VolumeSpace>
  /** Smallest part that may be followed by another. 5 MiB, the S3 rule, unless given. */
  minPartBytes?: number
  /** Uploads without a new part for this long are aborted. 7 days unless given. */
  idleUploadMs?: number
  /** Threads that hash beside the main one; chosen by the number of processors unless given, 0 for none. */
  hashThreads?: number
  /** Bytes that are checked again each second. 20 MiB unless given. */
  scrubBytesPerSecond?: number
  /** Whether stored bytes may be read now just to check or tidy them; asked all the time. Always, unless given. */
  mayScrub?: () => boolean
  hooks?: EngineHooks
}

/** The engine plus what only tests and maintenance call. */
export type OpenStorageEngine = StorageEngine & { housekeeping: Housekeeping; caretaker: Caretaker; root: StoreRoot }

const MAX_HASH_THREADS = 2
const SCRUB_BYTES_PER_SECOND = 20 * 1024 ** 2
const DAY_MS = 24 * 3_600_000

/**
 * Opens the store in a directory: takes its lock, clears what interrupted writes left in staging, brings the index up to date and
 * starts housekeeping. Raises `StoreLocked` while another engine has it open, and `StartupError` for a lost or damaged
 * index, an index of a newer version or an unsuitable place.
 */
export async function createStorageEngine(options: StorageEngineOptions): Promise<OpenStorageEngine> {
  const { directory } = options
  await mkdir(directory, { recursive: true })
  const files = new BlobFiles(directory)
  const indexPath = join(directory, 'index.db')
  const isNew = !existsSync(indexPath) && !(await files.hasAny())
  const doubtfulPlace = await assertSuitablePlace(directory, { isNew, log: options.log })
  const space = options.space ?? (() => volumeSpace(directory))
  // First of all: without a free byte not even the lock can be taken.
  const ballast = await Ballast.find(directory, { space, sizeBytes: options.ballastBytes })
  const unlock = takeFileLock(join(directory, 'store.lock'))
  if (!unlock) throw new StorageError('StoreLocked', `Another Flightcase is using the object store in ${directory}.`)
  try {
    await readingIndex(indexPath, () => assertIndexThere(directory))
    await files.prepare()
    const db = await readingIndex(indexPath, () => openIndexDatabase(indexPath))
    try {
      assertIndexWhole(db, indexPath)
      const { log, clock: now = Date.now } = options
      const folder = new RecoveryFolder(directory)
      const newest = await catchUp({ db, folder, log, now })
      const root = await StoreRoot.begin(directory, db, log)
      const recovery = await RecoveryLog.open({ folder, db, storeId: root.id, newest, log, now })
      return assemble(options, { files, db, root, folder, recovery, space, ballast, doubtfulPlace }, unlock)
    } catch (error) {
      db.close()
      throw error
    }
  } catch (error) {
    unlock()
    throw error
  }
}

/** Raises `StartupError('store_index_damaged')` where SQLite says that of the index. */
async function readingIndex<T>(indexPath: string, read: () => T | Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    const isDamaged = error instanceof Sqlite.SqliteError && /^SQLITE_(CORRUPT|NOTADB)/.test(error.code)
    throw isDamaged ? indexDamaged(indexPath, error.message, error) : error
  }
}

function assemble(
  options: StorageEngineOptions,
  {
    files,
    db,
    root,
    folder,
    recovery,
    space,
    ballast,
    doubtfulPlace
  }: {
    files: BlobFiles
    db: IndexDatabase
    root: StoreRoot
    folder: RecoveryFolder
    recovery: RecoveryLog
    space: () => Promise<VolumeSpace>
    ballast: Ballast
    doubtfulPlace: string | null
  },
  unlock: () => void
): OpenStorageEngine {
  const { directory, log, hooks = {}, clock: now = Date.now } = options
  // The last write's fate: a disk may recover, when it is plugged in again or remounted.
  let refusesWrites = false
  const onWrite = (error?: unknown) => {
    const known = asStorageError(error)
    const refused = known instanceof StorageError && known.code === 'ReadOnly'
    if (refused && !refusesWrites) log.error({ err: error }, 'the disk of the object store refuses writes')
    if (refused || error === undefined) refusesWrites = refused
  }
  const activity = new Activity()
  const ledger = new SpaceLedger({ space, reserveBytes: options.reserveBytes, ballast, now })
  const threads = options.hashThreads ?? Math.min(MAX_HASH_THREADS, availableParallelism() - 1)
  const hashWorkers = threads > 0 ? new HashWorkers(threads) : undefined
  const staging = new BodyStaging({ files, ledger, activity, hooks, hashWorkers, onWrite })
  const commits = new GroupCommit(db, {
    beforeCommit: () => recovery.announce(),
    onCommit: () => recovery.committed(),
    makeRoom: () => {
      const released = ballast.release()
      if (released) log.warn('the disk of the object store is full: its ballast gives room for deleting')
      return released
    }
  })
  const blobs = new BlobRows(db, recovery.changes)
  const rows = new ObjectRows(db, blobs, recovery.changes)
  const events = new EngineEvents(log)
  const damage = new Damage({ files, blobs, commits, events, root, hooks, log, now })
  const buckets = new Buckets({ db, commits, changes: recovery.changes, now })
  const listing = new Listing({ db, buckets })
  const objectsDeps = { commits, files, blobs, rows, buckets, damage, events, ledger, activity, hooks, now }
  const objects = new Objects(objectsDeps)
  const uploads = new Uploads({
    ...objectsDeps,
    objects,
    uploads: new UploadRows(db),
    staging,
    minPartBytes: options.minPartBytes ?? 5 * 1024 ** 2,
    idleUploadMs: options.idleUploadMs ?? 7 * DAY_MS
  })
  const contiguous = new Contiguous({ ...objectsDeps, objects, staging })
  const indexKeeper = new IndexKeeper({
    indexPath: join(directory, 'index.db'),
    db,
    folder,
    recovery,
    ledger,
    log,
    now
  })
  const housekeeping = new Housekeeping({
    files,
    blobs,
    commits,
    damage,
    activity,
    root,
    indexKeeper,
    ballast,
    expireUploads: () => uploads.expire(),
    log,
    now
  })
  housekeeping.start()
  const stop = new AbortController()
  const isIdle = (ownBodies: number) => staging.openCount <= ownBodies && (options.mayScrub?.() ?? true)
  const bytesPerSecond = options.scrubBytesPerSecond ?? SCRUB_BYTES_PER_SECOND
  const pace = new QuietPace({ bytesPerSecond, isQuiet: () => isIdle(0), signal: stop.signal })
  const scrubRows = new ScrubRows(db)
  const scrubber = new Scrubber({ files, blobs, rows: scrubRows, commits, damage, pace, log, now })
  const compaction = new IdleCompaction({
    rows,
    contiguous,
    ledger,
    pace: new QuietPace({ bytesPerSecond, isQuiet: () => true, signal: stop.signal }),
    isIdle,
    log,
    now
  })
  const caretaker = new Caretaker(
    [
      { what: 'check of stored bytes', run: () => scrubber.run() },
      { what: 'putting objects in pieces together', run: () => compaction.run() }
    ],
    { log, stop }
  )
  caretaker.start()
  if (scrubRows.rounds().askedAtMs !== null) void caretaker.wake()
  const usageRows = new UsageRows(db)
  const maintenance: StoreMaintenance = {
    usage: () => activity.during(async () => usageRows.usage(now())),
    damagedObjects: ({ after = { bucket: '', key: '' }, limit }) =>
      activity.during(async () => usageRows.damagedObjects(after, limit)),
    scrubState: () => scrubber.state(),
    scrubNow: () => {
      scrubRows.ask(now())
      void caretaker.wake()
    },
    backUpIndex: () => activity.during(() => indexKeeper.backUp()),
    lastIndexBackup: () => indexKeeper.last()
  }

  let closing: Promise<void> | undefined
  const close = async () => {
    housekeeping.stop()
    await caretaker.stop()
    activity.close()
    await indexKeeper.stop()
    await staging.discardAll()
    await activity.idle()
    await hashWorkers?.close()
    await recovery.close()
    db.close()
    unlock()
  }

  /** Changes say what the disk says, whichever step of them it refuses. */
  const changing = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      onWrite(error)
      throw asStorageError(error)
    })

  return {
    housekeeping,
    caretaker,
    root,
    storeId: root.id,
    maintenance,
    createBucket: (request) => changing(activity.during(() => buckets.create(request))),
    headBucket: (name) => activity.during(async () => buckets.head(name)),
    listBuckets: (request = {}) => activity.during(async () => buckets.list(request)),
    deleteBucket: (name) =>
      changing(activity.during(() => buckets.delete(name, (bucketId) => uploads.removeOfBucket(bucketId)))),
    setBucketCors: (name, corsJson) => changing(activity.during(() => buckets.setCors(name, corsJson))),
    openBody: (request) => staging.open(request),
    checkPrecondition: (bucket, key, precondition) =>
      activity.during(async () => objects.checkPrecondition(bucket, key, precondition)),
    putObject: (request) => objects.put(request),
    headObject: (bucket, key) => activity.during(async () => objects.head(bucket, key)),
    openObject: (bucket, key) => activity.during(async () => objects.open(bucket, key)),
    deleteObject: (bucket, key, precondition) => changing(objects.delete(bucket, key, precondition)),
    copyObject: (request) => changing(objects.copy(request)),
    listObjects: (request) => activity.during(async () => listing.list(request)),
    createUpload: (request) => changing(uploads.create(request)),
    headUpload: (upload) => activity.during(async () => uploads.head(upload)),
    putPart: (request) => uploads.putPart(request),
    copyPart: (request) => changing(uploads.copyPart(request)),
    listParts: (upload, page) => activity.during(async () => uploads.listParts(upload, page)),
    completeUpload: (request) => changing(uploads.complete(request)),
    abortUpload: (upload) => changing(uploads.abort(upload)),
    listUploads: (request) => activity.during(async () => uploads.list(request)),
    localFile: (bucket, key) => activity.during(async () => contiguous.localFile(bucket, key)),
    digestOf: (bucket, key, signal) => activity.during(async () => contiguous.digestOf(bucket, key, signal)),
    health: async () => {
      root.assertThere()
      const { freeBytes, availableBytes } = await ledger.measure()
      return {
        freeBytes,
        availableBytes: Math.max(0, availableBytes),
        writable: availableBytes >= 0 && !refusesWrites,
        keptFiles: housekeeping.keptFiles,
        indexProblem: indexKeeper.problem,
        uncheckedFiles: scrubber.state().uncheckedBlobs,
        doubtfulPlace
      }
    },
    onObjectCommitted: (listener) => events.onCommitted(listener),
    onObjectDamaged: (listener) => events.onDamaged(listener),
    idle: () => activity.idle(),
    close: () => {
      closing ??= close()
      return closing
    }
  }
}
