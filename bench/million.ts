import { createHash } from 'node:crypto'
import { closeSync, existsSync, ftruncateSync, mkdirSync, openSync } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { BlobFiles } from '../src/daemon/embedded-store/engine/blob-files.ts'
import { newId } from '../src/daemon/ids.ts'
import { ObjectKeys } from '../src/daemon/object-keys.ts'
import { launchDaemon } from '../src/demo/daemon-process.ts'

/** A data directory that holds `count` uploaded files, as far as the databases are concerned. */
export type SeededData = {
  dataDir: string
  count: number
  /** Of every file. */
  sizeBytes: number
  /** Hex. */
  sha256(index: number): string
  fingerprint(index: number): string
  tiny(index: number): string
}

export const WORKSPACE = '3f6c2a10-77f5-4a1c-8e6b-5d0a9c1b2e34'
const ROOT = join(import.meta.dirname, '..', '.cache', 'bench')
const FIRST_SHOT_MS = Date.parse('2019-05-01T08:00:00Z')
/** A team that takes a picture every two minutes on average: a million pictures are some four years. */
const STEP_MS = 120_000
const DEVICES = 12
const objectKeys = new ObjectKeys()
const SIZE_BYTES = 5_000_000
const NOUGHTS_SHA256 = createHash('sha256').update(Buffer.alloc(SIZE_BYTES)).digest('hex')

/** 32 upper-case hexadecimal digits, as Pilot's fingerprints are. */
const fingerprint = (index: number) => createHash('md5').update(`file ${index}`).digest('hex').toUpperCase()
const tiny = (index: number) =>
  `${createHash('md5').update(`tiny ${index}`).digest('hex')}_2025_6_14_9_${index % 60}_${index % 59}`

/**
 * Gives a data directory with `count` assets, each with blob, strong reference, pilot file, stored object and payload file
 * (of the right size, without content: it takes no space). Seeding a million takes some minutes and is kept for later
 * calls.
 */
export async function seededData(count: number): Promise<SeededData> {
  const dataDir = join(ROOT, `seeded-${count}`)
  const complete = join(dataDir, 'seeded')
  if (!existsSync(complete)) {
    process.stderr.write(`seeding ${count} files …\n`)
    await rm(dataDir, { recursive: true, force: true })
    const unfinished = `${dataDir}.unfinished`
    await rm(unfinished, { recursive: true, force: true })
    await mkdir(unfinished, { recursive: true })
    // The daemon itself makes the files, so that they are of its present schema.
    const daemon = launchDaemon({ dataDir: unfinished })
    await daemon.ready
    await daemon.stop()
    const ids = Array.from({ length: count }, (_, index) => newId(FIRST_SHOT_MS + index * STEP_MS))
    seedCatalogue(join(unfinished, 'flightcase.db'), ids)
    seedObjects(join(unfinished, 'store', 'index.db'), ids)
    seedPayloads(join(unfinished, 'store'), ids)
    await rename(unfinished, dataDir)
    await writeFile(complete, '')
  }
  return { dataDir, count, sizeBytes: SIZE_BYTES, sha256: (index) => sha256(index).toString('hex'), fingerprint, tiny }
}

const keyOf = (index: number) => {
  const day = new Date(FIRST_SHOT_MS + index * STEP_MS).toISOString().slice(0, 10).replaceAll('-', '')
  return `media/${WORKSPACE}/${day}/${nameOf(index)}`
}
const nameOf = (index: number) => {
  const time = new Date(FIRST_SHOT_MS + index * STEP_MS).toISOString().slice(0, 19).replaceAll(/\D/g, '')
  return `DJI_${time}_${String(index % 10_000).padStart(4, '0')}_V.JPG`
}
const sha256 = (index: number) => createHash('sha256').update(`file ${index}`).digest()
const md5 = (index: number) => createHash('md5').update(`file ${index}`).digest('hex')

function seedCatalogue(filePath: string, ids: string[]): void {
  const db = openForSeeding(filePath)
  db.prepare('INSERT INTO workspace (id, name, created_at_ms) VALUES (?, ?, ?)').run(WORKSPACE, 'Bench', FIRST_SHOT_MS)
  const devices = Array.from({ length: DEVICES }, (_, index) => newId(FIRST_SHOT_MS + index))
  for (const [index, id] of devices.entries())
    db.prepare(
      'INSERT INTO device (id, serial, model_key, name, first_seen_at_ms, last_seen_at_ms) VALUES (?, ?, ?, ?, ?, ?)'
    ).run(id, `1581FBENCH${index}`, '0-99-0', `Drone ${index}`, FIRST_SHOT_MS, FIRST_SHOT_MS)
  const blob = db.prepare(
    `INSERT INTO blob (id, store, key, size_bytes, etag, sha256, created_at_ms) VALUES (?, 'local', ?, ?, ?, ?, ?)`
  )
  const asset = db.prepare(
    `INSERT INTO asset (id, workspace_id, blob_id, object_key, name, kind, mime_type, state, size_bytes, ref_count, device_id,
       is_original, sub_file_type, taken_at_ms, taken_day, taken_zone_offset_min, taken_source, received_at_ms, width, height,
       preview, latitude, longitude, capture_json, updated_at_ms)
     VALUES (?, ?, ?, ?, ?, 'image', 'image/jpeg', 'active', ?, 1, ?, 1, 0, ?, ?, 480, 'exif', ?, 5280, 3956, 'ready', ?, ?, ?, ?)`
  )
  const reference = db.prepare(
    `INSERT INTO reference (id, asset_id, kind, namespace, owner, created_at_ms) VALUES (?, ?, 'strong', 'pilot', ?, ?)`
  )
  const pilotFile = db.prepare(
    `INSERT INTO pilot_file (workspace_id, fingerprint, tiny_fingerprint, object_key, asset_id, name, path, drone_model_key,
       payload_model_key, raw_json, created_at_ms, updated_at_ms)
     VALUES (?, ?, ?, ?, ?, ?, '', '0-99-0', '1-88-0', '{}', ?, ?)`
  )
  const pilotObject = db.prepare(
    'INSERT INTO pilot_object (workspace_id, object_key, etag, asset_id) VALUES (?, ?, ?, ?)'
  )
  const capture = JSON.stringify({
    cameraMake: 'DJI',
    cameraModel: 'M4E',
    absoluteAltitudeM: 142.5,
    iso: 100,
    fNumber: 2.8
  })
  inBatches(db, ids, (id, index) => {
    const at = FIRST_SHOT_MS + index * STEP_MS
    const key = keyOf(index)
    const name = nameOf(index)
    const day = new Date(at).toISOString().slice(0, 10)
    const where = [22.5 + (index % 977) * 1e-4, 113.9 + (index % 883) * 1e-4]
    blob.run(id, objectKeys.pinned(id, name, at), SIZE_BYTES, md5(index), sha256(index), at)
    asset.run(
      id,
      WORKSPACE,
      id,
      key,
      name,
      SIZE_BYTES,
      devices[Math.floor(index / 500) % DEVICES],
      at,
      day,
      at,
      ...where,
      capture,
      at
    )
    reference.run(id, id, WORKSPACE, at)
    pilotObject.run(WORKSPACE, key, md5(index), id)
    pilotFile.run(WORKSPACE, fingerprint(index), tiny(index), key, id, name, at, at)
  })
  finish(db)
}

function seedObjects(filePath: string, ids: string[]): void {
  const db = openForSeeding(filePath)
  const bucket = db.prepare('SELECT id FROM bucket').pluck().get()
  const blob = db.prepare(
    'INSERT INTO blob (id, size_bytes, sha256, md5, crc32c, refcount, created_at_ms) VALUES (?, ?, ?, ?, ?, 2, ?)'
  )
  const object = db.prepare(
    `INSERT INTO object (bucket_id, key, rev, size_bytes, etag, last_modified_ms, sha256, headers_json, metadata_json)
     VALUES (?, ?, ?, ?, ?, ?, ?, '{"content-type":"image/jpeg"}', '{}')`
  )
  const extent = db.prepare(
    'INSERT INTO extent (object_rev, seq, blob_id, offset_bytes, length_bytes) VALUES (?, 0, ?, 0, ?)'
  )
  inBatches(db, ids, (id, index) => {
    const at = FIRST_SHOT_MS + index * STEP_MS
    const digest = sha256(index).toString('hex')
    blob.run(id, SIZE_BYTES, NOUGHTS_SHA256, md5(index), 'AAAAAA==', at)
    // What the controller uploaded, and what the catalogue keeps: two keys for the same bytes.
    const keys = { [`${id}u`]: keyOf(index), [`${id}k`]: objectKeys.pinned(id, nameOf(index), at) }
    for (const [rev, key] of Object.entries(keys)) {
      object.run(bucket, key, rev, SIZE_BYTES, md5(index), at, digest)
      extent.run(rev, id, SIZE_BYTES)
    }
  })
  finish(db)
}

function seedPayloads(directory: string, ids: string[]): void {
  const files = new BlobFiles(directory)
  for (const id of ids) {
    const path = files.path(id)
    mkdirSync(dirname(path), { recursive: true })
    const descriptor = openSync(path, 'w')
    ftruncateSync(descriptor, SIZE_BYTES)
    closeSync(descriptor)
  }
}

function openForSeeding(filePath: string): Sqlite.Database {
  const db = new Sqlite(filePath, { fileMustExist: true })
  db.pragma('synchronous = OFF')
  db.pragma('cache_size = -1048576')
  return db
}

function inBatches(db: Sqlite.Database, ids: string[], insert: (id: string, index: number) => void): void {
  const batch = db.transaction((from: number, to: number) => {
    for (let index = from; index < to; index++) insert(ids[index] ?? '', index)
  })
  for (let from = 0; from < ids.length; from += 50_000) batch(from, Math.min(from + 50_000, ids.length))
}

function finish(db: Sqlite.Database): void {
  db.pragma('wal_checkpoint(TRUNCATE)')
  db.close()
}
