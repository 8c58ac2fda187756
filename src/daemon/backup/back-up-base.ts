import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import type { Config } from '../config/schema.ts'
import { copyDatabase } from '../db/copy-database.ts'
import { lockDataDir } from '../db/data-dir-lock.ts'
import { markAsCopy, storeIdIn } from '../embedded-store/engine/store-root.ts'
import { StartupError } from '../errors.ts'
import { isMissingFile, syncFile, syncFolder } from '../files.ts'
import { readMarkFor, writeMark } from './backup-mark.ts'
import { copyFileWhole, UnreadableSource } from './copy-file.ts'
import { type Copied, type CopiedPayload, copyFolder, copyPayload } from './copy-media.ts'

const CATALOGUE = 'flightcase.db'
const INDEX = 'store/index.db'
const DATABASES = [CATALOGUE, 'store/identity.db', INDEX]
/**
 * Copied before the databases: the head of the audit is then one that the catalogue has. Those of the store last, which make it one.
 */
const SMALL_FILES = ['flightcase.toml', 'audit.head', 'store-id', 'store/root.key', 'store/store.json']
/** What is deleted while it is copied makes another round necessary, which is a short one. */
const MAX_ROUNDS = 3

export type BackupReport = {
  folder: string
  finishedAt: string
  /** Null where media was left out, or is kept in an external store. */
  media: CopiedPayload | null
  recordings: Copied | null
}

/**
 * Puts a copy of a base into a folder, laid out as a data folder: catalogue, keys, settings, and the media and recordings that are not there
 * from an earlier time. The base may run. Until all media is there the databases of the earlier backup stay. Raises `StartupError`.
 */
export async function backUpBase(
  { dataDir, store, live }: Pick<Config, 'dataDir' | 'store' | 'live'>,
  to: string,
  { withMedia }: { withMedia: boolean }
): Promise<BackupReport> {
  const folder = resolve(to)
  assertApart(dataDir, folder)
  const unlock = lockDataDir(folder)
  try {
    const isEmbedded = store.mode === 'embedded'
    const storeId = isEmbedded ? storeIdIn(join(dataDir, 'store')) : null
    const before = readMarkFor(folder, storeId)
    await writeMark(folder, { storeId, finishedAt: before?.finishedAt ?? null, withMedia })
    await mkdir(join(folder, 'store'), { recursive: true, mode: 0o700 })
    const media = await copyAll(dataDir, folder, isEmbedded && withMedia ? { storeId } : null)
    const recordings = withMedia ? await copyFolder(live.recordings.dir, join(folder, 'recordings')) : null
    await putInPlace(folder)
    const finishedAt = new Date().toISOString()
    await writeMark(folder, { storeId, finishedAt, withMedia })
    return { folder, finishedAt, media, recordings }
  } finally {
    for (const name of [...SMALL_FILES, ...DATABASES]) await rm(draftOf(join(folder, name)), { force: true })
    unlock()
  }
}

function assertApart(dataDir: string, folder: string): void {
  const isInside = (path: string, other: string) => !/^\.\.([\\/]|$)/.test(relative(other, path))
  if (isInside(folder, resolve(dataDir)) || isInside(resolve(dataDir), folder))
    throw new StartupError(
      'backup_inside',
      `${folder} and the data folder ${dataDir} lie in one another. Name another folder.`
    )
}

/** Rounds until everything that the copied index names is there, or is missing in the base as well. */
async function copyAll(
  dataDir: string,
  folder: string,
  wanted: { storeId: string | null } | null
): Promise<CopiedPayload | null> {
  const copied: Copied = { files: 0, bytes: 0 }
  for (let round = 1; ; round++) {
    await copyDrafts(dataDir, folder)
    const index = draftOf(join(folder, INDEX))
    if (wanted === null || !existsSync(index)) return null
    const media = await copyPayload(index, join(dataDir, 'store'), join(folder, 'store'))
    // On a disk that was unplugged every file is missing.
    if (media.damaged.length > 0) assertThere(join(dataDir, 'store'), wanted.storeId)
    copied.files += media.copied.files
    copied.bytes += media.copied.bytes
    if (round === MAX_ROUNDS || !media.damaged.some(({ what }) => what === 'missing')) return { ...media, copied }
  }
}

function assertThere(store: string, storeId: string | null): void {
  if (storeIdIn(store) === storeId) return
  throw new StartupError(
    'store_not_there',
    `The object store in ${store} went away while it was copied. The earlier backup is as it was; try again.`
  )
}

/** The catalogue before the index: an object that only the index knows is found by the base, one that only the catalogue knows is lost. */
async function copyDrafts(dataDir: string, folder: string): Promise<void> {
  for (const name of SMALL_FILES) await copyIfThere(join(dataDir, name), draftOf(join(folder, name)))
  for (const name of DATABASES)
    if (existsSync(join(dataDir, name))) await copyDatabase(join(dataDir, name), draftOf(join(folder, name)))
  const index = draftOf(join(folder, INDEX))
  if (existsSync(index)) markAsCopy(index)
}

async function copyIfThere(from: string, to: string): Promise<void> {
  try {
    await copyFileWhole(from, to, 0o600)
  } catch (error) {
    if (!(error instanceof UnreadableSource && isMissingFile(error.cause))) throw error
  }
}

async function putInPlace(folder: string): Promise<void> {
  for (const name of [...SMALL_FILES, ...DATABASES]) {
    const path = join(folder, name)
    if (!existsSync(draftOf(path))) continue
    await syncFile(draftOf(path))
    await rename(draftOf(path), path)
    await syncFolder(dirname(path))
  }
}

function draftOf(path: string): string {
  return `${path}.draft`
}
