import { stat } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { type FindingCode, findings } from '../../../shared/api/doctor.ts'
import type { JobCounts } from '../../../shared/api/jobs.ts'
import type { ListenAddress } from '../../config/settings/listeners.ts'
import type { LiveConfig } from '../../config/settings/live.ts'
import type { StoreConfig } from '../../config/settings/store.ts'
import { findMediaMtx } from '../../mediamtx/find-mediamtx.ts'
import { downloadUrl, TESTED_VERSION } from '../../mediamtx/get-mediamtx.ts'
import type { MediaServerState, ServerProblem } from '../../mediamtx/media-server.ts'
import { reservePorts } from '../../mediamtx/reserve-ports.ts'
import { type StoreLook, troubleIn } from '../../object-store/store-trouble.ts'
import { ENOUGH_BYTES, SHORT_BYTES } from '../recordings/recording-room.ts'
import { reachableUrls } from '../system/system.service.ts'
import { freeBytesAbove, room } from './machine-checks.ts'
import type { Finding } from './run-checks.ts'

const LONG_LOG_BYTES = 1_000_000_000
/** Stores refuse what is a quarter of an hour off. */
const CLOCK_DIFFERENCE_MS = 300_000
const OFTEN = 3
const STUCK_MS = 3_600_000

/** How large the catalogue is, with its log; `code`: what asking it gave. */
export async function database(path: string, code: 'answers' | 'sound' | 'older'): Promise<Finding<'database'>> {
  const { size } = await stat(path)
  const log = await stat(`${path}-wal`).catch(() => null)
  const logBytes = log?.size ?? 0
  return { code: logBytes > LONG_LOG_BYTES ? 'long_log' : code, facts: { path, sizeBytes: size + logBytes, logBytes } }
}

/** What trying out the store gave. */
export function store(config: StoreConfig, dataDir: string, look: StoreLook): Finding<'store'> {
  const place = config.mode === 'embedded' ? join(dataDir, 'store') : config.endpoint
  const facts = { place, bucket: config.bucket }
  const found = troubleIn(look)
  if (found !== null) {
    const settings = config.mode === 'embedded' ? undefined : EXTERNAL_SETTINGS[found.trouble]
    return { code: found.trouble, facts: { ...facts, reported: found.reported ?? '' }, copy: settings ?? [] }
  }
  if ('error' in look) throw look.error // never without a trouble
  const { clockSkewMs, keptFiles, indexProblem, uncheckedFiles, doubtfulPlace, server } = look.health
  const copy = [`flightcase rebuild-index --data-dir ${dataDir}`]
  if (indexProblem !== null) return { code: 'index_damaged', facts: { ...facts, reported: indexProblem }, copy }
  if (Math.abs(clockSkewMs) > CLOCK_DIFFERENCE_MS)
    return { code: 'clock_differs', facts: { ...facts, differenceMs: Math.abs(clockSkewMs) } }
  if (keptFiles > 0) return { code: 'files_unknown', facts: { ...facts, keptCount: keptFiles }, copy }
  if (uncheckedFiles > 0)
    return { code: 'files_unchecked', facts: { ...facts, uncheckedCount: uncheckedFiles }, copy: [place] }
  if (doubtfulPlace !== null) return { code: 'place_doubtful', facts: { ...facts, kind: doubtfulPlace } }
  if (config.mode === 'external' && server === OPEN_SOURCE_MINIO) return { code: 'minio', facts: { ...facts, server } }
  return { code: config.mode, facts }
}

/** What MinIO calls itself. Its forks may do so, too: they do not tell their version to everybody. */
const OPEN_SOURCE_MINIO = 'MinIO'

const EXTERNAL_SETTINGS: Partial<Record<FindingCode<'store'>, string[]>> = {
  refused: ['FLIGHTCASE_S3_ACCESS_KEY', 'FLIGHTCASE_S3_SECRET_KEY'],
  no_bucket: ['FLIGHTCASE_S3_BUCKET'],
  other_store: ['FLIGHTCASE_S3_ENDPOINT', 'FLIGHTCASE_S3_BUCKET'],
  unreachable: ['FLIGHTCASE_S3_ENDPOINT']
}

/** Where the program listens. A port of the link may be somebody else's: the rest goes on without it. */
export function openListeners(
  places: { field: ListenAddress; admin: ListenAddress; s3: ListenAddress | null; mqtt: ListenAddress | null },
  wantedLink: ListenAddress
): Finding<'listeners'> {
  const open = Object.entries(places).flatMap(([name, at]) => (at === null ? [] : [`${name} ${textOf(at)}`]))
  const facts = { open: open.join(', ') }
  if (places.mqtt !== null) return { code: 'open', facts }
  return { code: 'link_off', facts: { ...facts, taken: textOf(wantedLink) }, copy: [whoHas(wantedLink.port)] }
}

export interface WantedPort {
  name: string
  address: ListenAddress
  transport: 'tcp' | 'udp'
  /** Without it the program does not start. */
  isNeeded: boolean
}

/** Whether a program that is not running could listen where it shall. */
export async function freePorts(wanted: WantedPort[]): Promise<Finding<'listeners'>> {
  const outcomes = await reservePorts(wanted.map(({ address, transport }) => ({ ...address, transport })))
  const taken = wanted.flatMap((each, index) => {
    const outcome = outcomes[index]!
    return 'error' in outcome ? [{ ...each, error: outcome.error }] : []
  })
  const say = (each: WantedPort) => `${each.name} ${textOf(each.address)}`
  if (taken.length === 0) return { code: 'free', facts: { free: wanted.map(say).join(', ') } }
  return {
    code: taken.some(({ isNeeded }) => isNeeded) ? 'taken' : 'less_taken',
    facts: { taken: taken.map((each) => `${say(each)} (${each.error})`).join(', ') },
    copy: taken.map(({ address }) => whoHas(address.port))
  }
}

/** What tells which program has a TCP port. */
function whoHas(port: number): string {
  if (process.platform === 'win32') return `netstat -ano | findstr :${port}`
  return process.platform === 'darwin' ? `lsof -nP -i :${port}` : `ss -lntup 'sport = :${port}'`
}

function textOf({ host, port }: ListenAddress): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`
}

/** By which addresses controllers can reach their listener. */
export function network(field: ListenAddress): Finding<'network'> {
  const urls = reachableUrls(field)
  const facts = { addresses: urls.join(', ') }
  if (/^(localhost$|127\.|::1$)/.test(field.host)) return { code: 'this_computer', facts, copy: ['FLIGHTCASE_FIELD'] }
  if (field.host !== '0.0.0.0' && field.host !== '::') return { code: 'named', facts }
  if (urls.length === 0) return { code: 'none' }
  return { code: urls.length === 1 ? 'one' : 'several', facts }
}

export interface RecordingsRoomCheck {
  /** Null: this base keeps none. */
  folder: string | null
  /** Whether their disk is the one that they were written to. */
  isThere: () => Promise<boolean>
  /** Nothing is recorded now for want of room. */
  isShort: boolean
  freeBytesOf?: (folder: string) => Promise<number>
}

/** How much room recordings have. */
export async function recordingsRoom(check: RecordingsRoomCheck): Promise<Finding<'recordings_room'>> {
  const { folder, isThere, isShort, freeBytesOf = freeBytesAbove } = check
  if (folder === null) return { code: 'off' }
  if (!(await isThere())) return { code: 'away', facts: { path: folder }, copy: [folder] }
  const found = room(folder, await freeBytesOf(folder), isShort ? ENOUGH_BYTES : SHORT_BYTES)
  return { ...found, facts: { ...found.facts, enoughBytes: ENOUGH_BYTES } }
}

export interface MediaServerCheck {
  config: LiveConfig
  dataDir: string
  resourcesDir: string | null
  /** Null: nothing runs it now. */
  state: MediaServerState | null
  /** How often it was there again after the first time. */
  returns: number
}

/** The media server of the configuration: whether it is there, and how it does. */
export async function mediaServer(check: MediaServerCheck): Promise<Finding<'media_server'>> {
  const { config, dataDir, resourcesDir, state, returns } = check
  if (!config.isEnabled) return { code: 'off' }
  const hints = { tested: TESTED_VERSION, settingsFile: join(dataDir, 'flightcase.toml') }
  const found = config.external ? null : await findMediaMtx({ configured: config.mediamtxPath, resourcesDir })
  if (found !== null && 'problem' in found) return serverTrouble(found.problem, hints)
  if (state?.problem) return serverTrouble(state.problem, hints)
  const warnings = state?.warnings ?? found?.program.warnings ?? []
  const facts = {
    place: found?.program.path ?? config.external?.apiUrl ?? '',
    version: state?.version ?? found?.program.version ?? '?',
    returns
  }
  if (state !== null && state.state !== 'ready') return { code: 'starting', facts }
  if (returns >= OFTEN) return { code: 'often_again', facts }
  if (warnings.length > 0) return { code: 'remarks', facts: { ...facts, reported: warnings.join('\n') } }
  if (state === null) return { code: 'found', facts }
  return { code: config.external ? 'external' : 'ready', facts }
}

const SERVER_SETTINGS: Partial<Record<FindingCode<'media_server'>, string[]>> = {
  recordings_folder_unusable: ['FLIGHTCASE_RECORDINGS_DIR'],
  server_refuses: ['FLIGHTCASE_MEDIAMTX_API', 'FLIGHTCASE_MEDIAMTX_USER', 'FLIGHTCASE_MEDIAMTX_PASSWORD'],
  server_unreachable: ['FLIGHTCASE_MEDIAMTX_API']
}

function serverTrouble(
  { code, message }: ServerProblem,
  hints: { tested: string; settingsFile: string }
): Finding<'media_server'> {
  if (!isServerCode(code)) throw new Error(message)
  const isAboutProgram = code.startsWith('mediamtx_')
  return {
    code,
    facts: { ...hints, reported: message },
    copy: isAboutProgram ? [downloadUrl(), 'live.mediamtx_bin = "/path/to/mediamtx"'] : (SERVER_SETTINGS[code] ?? [])
  }
}

function isServerCode(code: string): code is FindingCode<'media_server'> {
  return Object.hasOwn(findings.media_server, code)
}

/** How the work of the base goes; `oldestDueMs`: since when the oldest of it waits. */
export function jobs(counts: JobCounts, oldestDueMs: number | undefined, nowMs: number): Finding<'jobs'> {
  const waitedMs = oldestDueMs === undefined ? 0 : Math.max(0, nowMs - oldestDueMs)
  const facts = { deadCount: counts.dead, waitingCount: counts.queued, waitedMs }
  if (counts.dead > 0) return { code: 'gave_up', facts }
  return { code: counts.running === 0 && waitedMs > STUCK_MS ? 'stuck' : 'fine', facts }
}
