import { statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import Sqlite from 'better-sqlite3'
import type { Config } from '../../config/schema.ts'
import { type LiveConfig, liveListeners } from '../../config/settings/live.ts'
import type { StoreConfig } from '../../config/settings/store.ts'
import { migrations } from '../../db/migrations/all.ts'
import { messageOf } from '../../errors.ts'
import { createLogger } from '../../logger.ts'
import { findFfmpeg } from '../../media/find-ffmpeg.ts'
import { ExternalServer } from '../../mediamtx/external-server.ts'
import type { MediaServerState } from '../../mediamtx/media-server.ts'
import { ObjectKeys } from '../../object-keys.ts'
import { externalOptions } from '../../object-store/external-options.ts'
import { S3ObjectStore } from '../../object-store/s3-object-store.ts'
import { resourcesDir } from '../../package-info.ts'
import { otherStore, readStoreId } from '../../store-identity/store-identity.ts'
import { isMarked } from '../recordings/recording-index.ts'
import { StoreMonitor } from '../system/system.service.ts'
import * as base from './base-checks.ts'
import * as machine from './machine-checks.ts'
import type { Checks, Finding } from './run-checks.ts'

/** A larger catalogue is only asked, not read through. */
const READ_THROUGH_BYTES = 500_000_000
const LOOK_AGAIN_MS = 50

/**
 * What can be seen of a base without it; `isRunning`: it has its ports, null: that cannot be seen. Nothing of the base is changed, but
 * SQLite may put two files of its own beside the catalogue, and a store of others is tried out.
 */
export function outsideChecks(config: Config, isRunning: boolean | null): Checks {
  const { dataDir, live, store } = config
  const catalogue = join(dataDir, 'flightcase.db')
  return {
    data_folder: () => machine.dataFolder(dataDir),
    data_room: () => machine.roomIn(dataDir),
    recordings_room: () =>
      base.recordingsRoom({
        folder: live.isEnabled && live.external === null ? live.recordings.dir : null,
        isThere: async () =>
          first(catalogue, 'SELECT 1 FROM recording_segment LIMIT 1') === null || isMarked(live.recordings.dir),
        isShort: false
      }),
    database: () => lookAtCatalogue(catalogue),
    store: () => lookAtStore(store, dataDir, catalogue),
    listeners: () =>
      isRunning === false ? base.freePorts(portsOf(config)) : { code: isRunning ? 'in_use' : 'unseen' },
    network: () => base.network(config.field),
    clock: () =>
      machine.clock(Date.now(), first(catalogue, 'SELECT created_at_ms FROM event ORDER BY seq DESC LIMIT 1')),
    ffmpeg: () => machine.ffmpeg(findFfmpeg(config.ffmpegPath === null ? {} : { configured: config.ffmpegPath })),
    thumbnails: machine.thumbnails,
    media_server: async () => {
      const state = live.isEnabled && live.external !== null ? await stateOf(live.external, live.publicHost) : null
      return base.mediaServer({ config: live, dataDir, resourcesDir, state, returns: 0 })
    }
  }
}

async function lookAtCatalogue(path: string): Promise<Finding<'database'>> {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return { code: 'off' }
  try {
    const version = withCatalogue(path, (sql) => Number(sql.pragma('user_version', { simple: true })))
    const newest = migrations.at(-1)!.version
    if (version !== newest) return { code: version > newest ? 'newer' : 'older' }
    if (statSync(path).size > READ_THROUGH_BYTES) return await base.database(path, 'answers')
    const said = withCatalogue(path, (sql) => String(sql.pragma('quick_check(1)', { simple: true })))
    return said === 'ok' ? await base.database(path, 'sound') : { code: 'damaged', facts: { reported: said } }
  } catch (error) {
    if (!(error instanceof Sqlite.SqliteError) || !/^SQLITE_(NOTADB|CORRUPT)/.test(error.code)) throw error
    return { code: 'damaged', facts: { reported: messageOf(error) } }
  }
}

/** The first number that a query finds in the catalogue; null where there is none or it does not say. */
function first(path: string, query: string): number | null {
  try {
    return withCatalogue(path, (sql) => sql.prepare<[], number>(query).pluck().get() ?? null)
  } catch {
    return null // what is wrong with it is another check
  }
}

function withCatalogue<T>(path: string, look: (sql: Sqlite.Database) => T): T {
  const sql = new Sqlite(path, { readonly: true, fileMustExist: true })
  try {
    return look(sql)
  } finally {
    sql.close()
  }
}

/** A store of our own is the running base's alone. */
async function lookAtStore(config: StoreConfig, dataDir: string, catalogue: string): Promise<Finding<'store'>> {
  if (config.mode === 'embedded') return { code: 'off', facts: { place: join(dataDir, 'store') } }
  const store = new S3ObjectStore(externalOptions(config))
  try {
    const keys = new ObjectKeys(config.rootPrefix === null ? '' : `${config.rootPrefix}/`)
    const look = await new StoreMonitor(store, keys, config.mode).look(Date.now())
    const isOther = 'health' in look && (await isOtherStore(store, config, catalogue))
    return base.store(config, dataDir, isOther ? { error: otherStore(config) } : look)
  } finally {
    await store.close()
  }
}

/** Whether what is at the place of the catalogue's store has not its id. At another place another store may begin. */
async function isOtherStore(
  store: S3ObjectStore,
  { endpoint, bucket, rootPrefix }: Exclude<StoreConfig, { mode: 'embedded' }>,
  catalogue: string
): Promise<boolean> {
  const isThere = statSync(catalogue, { throwIfNoEntry: false }) !== undefined
  const known = isThere && withCatalogue(catalogue, (sql) => knownStore(sql, { endpoint, bucket }))
  if (!known) return false
  return (await readStoreId(store, [rootPrefix === null ? '' : `${rootPrefix}/`, ...known.roots])) !== known.id
}

function knownStore(
  sql: Sqlite.Database,
  { endpoint, bucket }: { endpoint: string; bucket: string }
): { id: string; roots: string[] } | null {
  // The tables of another version may be others.
  if (sql.pragma('user_version', { simple: true }) !== migrations.at(-1)!.version) return null
  const id = sql
    .prepare<[string, string], string>(
      `SELECT id FROM object_store WHERE name = 's3' AND id IS NOT NULL AND endpoint = ? AND bucket = ?`
    )
    .pluck()
    .get(endpoint, bucket)
  return id === undefined
    ? null
    : { id, roots: sql.prepare<[], string>('SELECT prefix FROM object_root').pluck().all() }
}

function portsOf({ field, admin, mqtt, store, live }: Config): base.WantedPort[] {
  const needed = { transport: 'tcp', isNeeded: true } as const
  const ports: base.WantedPort[] = [
    { ...needed, name: 'field', address: field },
    { ...needed, name: 'admin', address: admin },
    { ...needed, name: 'mqtt', address: mqtt.address, isNeeded: mqtt.isRequired }
  ]
  if (store.mode !== 'external') ports.push({ ...needed, name: 's3', address: store.listen })
  if (live.isEnabled && live.external === null)
    for (const name of liveListeners) {
      const transport = name === 'webrtcUdp' || name === 'srt' ? 'udp' : 'tcp'
      const address = live.listen[name]
      if (address !== null) ports.push({ name, address, transport, isNeeded: false })
    }
  return ports
}

/** What a media server of others says when it is asked once. */
async function stateOf(
  server: NonNullable<LiveConfig['external']>,
  publicHost: string | null
): Promise<MediaServerState> {
  const external = new ExternalServer({ server, publicHost, log: createLogger('silent') })
  external.start()
  try {
    while (external.state().state === 'starting') await pause(LOOK_AGAIN_MS)
    return external.state()
  } finally {
    await external.stop()
  }
}
