import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { type LiveConfig, liveSettings } from '../config/settings/live.ts'
import { AppError, messageOf } from '../errors.ts'
import type { ServerInfo } from './answers.ts'
import { Child } from './child.ts'
import { childConfig, removeChildConfigs, writeChildConfig } from './child-config.ts'
import { ChildLog } from './child-log.ts'
import { MediaMtxClient } from './client.ts'
import { MediaMtxError } from './errors.ts'
import { type FoundMediaMtx, findMediaMtx } from './find-mediamtx.ts'
import { Listeners } from './listeners.ts'
import type { MediaServer, MediaServerState, ServerProblem, ServerUrls } from './media-server.ts'
import type { PathConf } from './path-conf.ts'
import { pause } from './pause.ts'
import { ProcessRecord } from './process-record.ts'
import type { Credential } from './transport.ts'

export interface ManagedServerOptions {
  config: LiveConfig
  /** For the child alone: its configurations, its pid. */
  dir: string
  /** Of the desktop app; null elsewhere. */
  resourcesDir: string | null
  /** Where the daemon answers the child's questions, without a query; asked for at every start of a child. */
  callbackUrl: () => string
  /** What a child carries from its first moment on. */
  initialPaths: () => Record<string, PathConf>
  log: Logger
  timing?: Partial<ManagedTiming>
}

export interface ManagedTiming {
  /** Between the end of a child and the next one; doubled each time that one does not last two seconds. */
  restartMinMs: number
  restartMaxMs: number
  /** How long a child may take until it answers. */
  readyMs: number
  /** Between looks at a child that is ready, and how long an answer may take. */
  livenessMs: number
  /** How long a child may take to end. */
  stopMs: number
  /** Between looks for a program where there is none. */
  searchMs: number
}

const TIMING: ManagedTiming = {
  restartMinMs: 1000,
  restartMaxMs: 30_000,
  readyMs: 15_000,
  livenessMs: 5000,
  stopMs: 15_000,
  searchMs: 30_000
}
/** How a child came to its end: without ever answering, soon after that, or later; or none could be started. */
type End = 'not_ready' | 'short' | 'lasted' | 'unusable'

const MISSES_UNTIL_UNREACHABLE = 3
const MISSES_UNTIL_RESTART = 6
const LASTING_MS = 2000
/** Once is a port that somebody else took at that moment. */
const MAX_STARTS_WITH_PATHS = 2
const CLOCK_TOLERANCE_MS = 1000
const FIRST_POLL_MS = 100
const LONGEST_POLL_MS = 500

/** A MediaMTX that the daemon starts, watches over, starts again when it ends, and ends with itself. */
export class ManagedServer implements MediaServer {
  readonly mode = 'managed'
  readonly credential: Credential = { user: 'flightcase', password: randomBytes(24).toString('hex') }
  readonly callbackKey = randomBytes(24).toString('hex')
  readonly recordRoot: string
  readonly #options: ManagedServerOptions
  readonly #timing: ManagedTiming
  readonly #record: ProcessRecord
  readonly #childLog: ChildLog
  readonly #listeners: Listeners
  readonly #readyListeners: (() => void)[] = []
  readonly #stopping = new AbortController()
  #running: Promise<void> | undefined
  #client: MediaMtxClient | undefined
  #playbackUrl: string | null = null
  #program: FoundMediaMtx | undefined
  #info: ServerInfo | null = null
  #state: MediaServerState['state'] = 'stopped'
  #problem: ServerProblem | null = null

  constructor(options: ManagedServerOptions) {
    this.#options = options
    this.#timing = { ...TIMING, ...options.timing }
    this.recordRoot = options.config.recordings.dir
    this.#record = new ProcessRecord(join(options.dir, 'mediamtx.pid'))
    this.#childLog = new ChildLog(options.log)
    this.#listeners = new Listeners(options.config.listen)
  }

  state(): MediaServerState {
    return {
      mode: this.mode,
      state: this.#state,
      version: this.#info?.version ?? this.#program?.version ?? null,
      started_at: this.#info?.started ?? null,
      problem: this.#problem ?? (this.#state === 'ready' ? this.#listeners.problem() : null),
      warnings: this.#program?.warnings ?? []
    }
  }

  asksUs(): boolean {
    return true
  }

  client(): MediaMtxClient {
    if (this.#client && this.#state === 'ready') return this.#client
    throw new AppError('live_unavailable')
  }

  onReady(listener: () => void): void {
    this.#readyListeners.push(listener)
  }

  urls(): ServerUrls {
    return { ...this.#listeners.ownUrls(), playback: this.#playbackUrl }
  }

  /** Recordings are played through the daemon only. */
  publicUrls(host: string): ServerUrls {
    const { publicHost } = this.#options.config
    const urls = publicHost === null ? this.#listeners.urls(host) : this.#listeners.namedUrls(publicHost)
    return { ...urls, playback: null }
  }

  lastErrorOf(pathName: string): string | null {
    return this.#childLog.lastErrorOf(pathName)
  }

  start(): void {
    this.#state = 'starting'
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
    this.#state = 'stopped'
    this.#problem = null
  }

  async #run(): Promise<void> {
    const { restartMinMs, restartMaxMs, searchMs } = this.#timing
    const { log, initialPaths } = this.#options
    for (let failures = 0, neverReady = 0; !this.#stopping.signal.aborted; ) {
      // A path that the program refuses would keep it from starting for ever; added later, only that path is refused.
      const paths: typeof initialPaths = neverReady < MAX_STARTS_WITH_PATHS ? initialPaths : () => ({})
      const end = await this.#live(paths).catch((error) => {
        log.error({ err: error }, 'the media server cannot be started')
        return this.#hasEnded(messageOf(error), 'not_ready')
      })
      neverReady = end === 'not_ready' ? neverReady + 1 : 0
      failures = end === 'lasted' ? 1 : failures + 1
      const restartMs = Math.min(restartMinMs * 2 ** (failures - 1), restartMaxMs)
      await pause(end === 'unusable' ? searchMs : restartMs, this.#stopping.signal)
    }
  }

  /** One child, from the search for its program to its end. */
  async #live(initialPaths: () => Record<string, PathConf>): Promise<End> {
    const { config, dir, resourcesDir, log } = this.#options
    await mkdir(dir, { recursive: true, mode: 0o700 })
    const leftover = await this.#record.endLeftover(this.#timing.stopMs)
    if (leftover !== null) log.warn({ pid: leftover }, 'a media server that was left over has been ended')
    const found = await findMediaMtx({ configured: config.mediamtxPath, resourcesDir })
    if ('problem' in found) return this.#isUnusable(found.problem)
    this.#program = found.program
    const folderProblem = await prepareFolder(this.recordRoot)
    if (folderProblem) return this.#isUnusable(folderProblem)
    const { configPath, client } = await this.#configure(initialPaths())
    if (this.#stopping.signal.aborted) return 'not_ready'

    const spawnedAtMs = Date.now()
    const child = new Child({
      programPath: found.program.path,
      configPath,
      dir,
      log: this.#childLog,
      onSpawned: (pid) => this.#record.write(pid)
    })
    try {
      const over = AbortSignal.any([this.#stopping.signal, child.signal])
      const refusal = await this.#untilReady(client, spawnedAtMs, over)
      if (refusal !== null) return this.#hasEnded(await this.#reasonOf(child, refusal), 'not_ready')
      const readyAt = performance.now()
      await this.#watch(client, over)
      const end = performance.now() - readyAt < LASTING_MS ? 'short' : 'lasted'
      return this.#hasEnded(await this.#reasonOf(child, 'no answer'), end)
    } finally {
      this.#client = undefined
      await this.#end(child, client)
    }
  }

  async #configure(paths: Record<string, PathConf>): Promise<{ configPath: string; client: MediaMtxClient }> {
    const { config, dir, callbackUrl } = this.#options
    const { listen, ports } = await this.#listeners.reserve()
    const callback = new URL(callbackUrl())
    callback.searchParams.set('k', this.callbackKey)
    const content = childConfig({
      listen,
      ports,
      paths,
      callbackUrl: callback.href,
      publicHost: config.publicHost,
      hlsVariant: config.hlsVariant,
      recordRoot: this.recordRoot,
      segmentMs: config.recordings.segmentMs
    })
    this.#playbackUrl = `http://127.0.0.1:${ports.playback}`
    const client = new MediaMtxClient({
      apiUrl: `http://127.0.0.1:${ports.api}`,
      playbackUrl: this.#playbackUrl,
      credential: this.credential
    })
    return { configPath: await writeChildConfig(dir, content), client }
  }

  /** Null when the child answers, which it does once it listens everywhere; else why it does not. */
  async #untilReady(client: MediaMtxClient, spawnedAtMs: number, over: AbortSignal): Promise<string | null> {
    const deadline = performance.now() + this.#timing.readyMs
    let refusal = 'no answer'
    for (let pauseMs = FIRST_POLL_MS; !over.aborted; pauseMs = Math.min(pauseMs * 2, LONGEST_POLL_MS)) {
      const leftMs = deadline - performance.now()
      if (leftMs <= 0) return refusal
      const info = await client.info(leftMs).catch((error) => {
        if (!(error instanceof MediaMtxError)) throw error
        refusal = error.message
        return null
      })
      if (over.aborted) break
      if (info && Date.parse(info.started) >= spawnedAtMs - CLOCK_TOLERANCE_MS) {
        this.#client = client
        this.#info = info
        this.#isReady()
        return null
      }
      await pause(pauseMs, over)
    }
    return refusal
  }

  /** Until the child ends or has not answered for long. */
  async #watch(client: MediaMtxClient, over: AbortSignal): Promise<void> {
    const { livenessMs } = this.#timing
    for (let misses = 0, tookMs = 0; misses < MISSES_UNTIL_RESTART; ) {
      await pause(livenessMs - tookMs, over)
      if (over.aborted) return
      const askedAt = performance.now()
      const answers = await client.info(livenessMs).then(
        () => true,
        (error) => {
          if (!(error instanceof MediaMtxError)) throw error
          return false
        }
      )
      tookMs = performance.now() - askedAt
      misses = answers ? 0 : misses + 1
      if (over.aborted) return
      if (answers && this.#state === 'unreachable') this.#isReady()
      if (misses === MISSES_UNTIL_UNREACHABLE) {
        this.#state = 'unreachable'
        this.#problem = {
          code: 'server_silent',
          message: 'MediaMTX runs but does not answer.',
          remedy: 'It is started again by itself when that goes on.'
        }
      }
    }
  }

  /** What a child says of its end, or what is known of it where it still runs. */
  async #reasonOf(child: Child, otherwise: string): Promise<string> {
    const end = child.signal.aborted ? await child.ended : otherwise
    const said = this.#childLog.takeLastError()
    return said === null ? end : `${end}: ${said}`
  }

  async #end(child: Child, client: MediaMtxClient): Promise<void> {
    if (process.platform === 'win32' && !child.signal.aborted) await endRecordings(client, this.#options.log)
    await child.stop(this.#timing.stopMs)
    this.#record.remove()
    await removeChildConfigs(this.#options.dir)
  }

  #isReady(): void {
    this.#state = 'ready'
    this.#problem = null
    const { path } = this.#program!
    this.#options.log.info({ path, version: this.#info?.version }, 'the media server is ready')
    for (const listener of this.#readyListeners) listener()
  }

  #isUnusable(problem: ServerProblem): End {
    if (this.#problem?.message !== problem.message) this.#options.log.warn({ problem }, 'there is no media server')
    this.#state = problem.code === 'mediamtx_missing' ? 'missing' : 'misconfigured'
    this.#problem = problem
    return 'unusable'
  }

  #hasEnded(reason: string, end: End): End {
    if (this.#stopping.signal.aborted) return end
    this.#options.log.warn({ reason }, 'the media server has ended and is started again')
    this.#state = 'starting'
    this.#info = null
    this.#problem = {
      code: 'server_ended',
      message: `MediaMTX has ended (${reason}).`,
      remedy: 'It is started again by itself. When this goes on, the log of Flightcase says more.'
    }
    return end
  }
}

/** Makes the folder of the recordings, where MediaMTX takes it. */
async function prepareFolder(folder: string): Promise<ServerProblem | null> {
  const { env } = liveSettings.recordingsDir
  const remedy = `Name another folder with ${env}.`
  const code = 'recordings_folder_unusable'
  // MediaMTX would read it as a placeholder.
  if (folder.includes('%')) return { code, message: `Recordings cannot go to ${folder}: it has a % in it.`, remedy }
  try {
    await mkdir(folder, { recursive: true })
    return null
  } catch (error) {
    return { code, message: `Recordings cannot go to ${folder}: ${messageOf(error)}`, remedy }
  }
}

/** Closes all files, where the program cannot be asked to: on Windows. */
async function endRecordings(client: MediaMtxClient, log: Logger): Promise<void> {
  try {
    const confs = await client.listPathConfs()
    const recording = [...confs].filter(([, { record }]) => record).map(([name]) => name)
    for (const name of recording) await client.patchPath(name, { record: false })
    for (const name of recording) await client.waitForPath(name, (conf) => conf?.record !== true)
  } catch (error) {
    // They are closed by force then, and play nevertheless.
    log.warn({ err: error }, 'recordings could not be ended')
  }
}
