import { isIP } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import type { Logger } from 'pino'
import type { LiveConfig } from '../config/settings/live.ts'
import { AppError } from '../errors.ts'
import type { GlobalConfig, ServerInfo } from './answers.ts'
import { MediaMtxClient } from './client.ts'
import { MediaMtxError } from './errors.ts'
import { judgeVersion } from './find-mediamtx.ts'
import {
  AUTH_PATH,
  type MediaServer,
  type MediaServerState,
  type ServerProblem,
  type ServerUrls
} from './media-server.ts'
import type { PathConf } from './path-conf.ts'
import { pause } from './pause.ts'
import type { Credential } from './transport.ts'

export interface ExternalServerOptions {
  server: NonNullable<LiveConfig['external']>
  publicHost: string | null
  /** What else is to be told of it. */
  moreWarnings?: () => string[]
  log: Logger
  /** Between looks, and how long an answer may take. */
  livenessMs?: number
}

const LIVENESS_MS = 5000
const MISSES_UNTIL_UNREACHABLE = 3
const DEFAULT_PLAYBACK_ADDRESS = ':9996'
const NO_URLS: ServerUrls = { hls: null, webrtc: null, rtsp: null, rtmp: null, srt: null, playback: null }

/** A MediaMTX that somebody else runs: it is used, watched and judged, and none of its settings is changed. */
export class ExternalServer implements MediaServer {
  readonly mode = 'external'
  readonly credential: Credential | null
  readonly callbackKey: string | null
  readonly recordRoot = null
  readonly #options: ExternalServerOptions
  readonly #apiHost: string
  readonly #readyListeners: (() => void)[] = []
  readonly #stopping = new AbortController()
  #running: Promise<void> | undefined
  #client: MediaMtxClient
  #config: GlobalConfig | null = null
  #info: ServerInfo | null = null
  #state: MediaServerState['state'] = 'stopped'
  #problem: ServerProblem | null = null
  #warnings: string[] = []

  constructor(options: ExternalServerOptions) {
    this.#options = options
    this.credential = options.server.credential
    this.callbackKey = options.server.auth?.key ?? null
    this.#apiHost = new URL(options.server.apiUrl).hostname
    this.#client = this.#newClient({ playbackAddress: DEFAULT_PLAYBACK_ADDRESS })
  }

  state(): MediaServerState {
    return {
      mode: this.mode,
      state: this.#state,
      version: this.#info?.version ?? null,
      started_at: this.#info?.started ?? null,
      problem: this.#problem,
      warnings: [...this.#warnings, ...(this.#options.moreWarnings?.() ?? [])]
    }
  }

  asksUs(): boolean {
    return this.#config !== null && asksWith(this.callbackKey, this.#config)
  }

  client(): MediaMtxClient {
    if (this.#state === 'ready') return this.#client
    throw new AppError(this.#state === 'misconfigured' ? 'live_misconfigured' : 'live_unavailable')
  }

  onReady(listener: () => void): void {
    this.#readyListeners.push(listener)
  }

  urls(): ServerUrls {
    return this.#config ? urlsOf(this.#config, this.#apiHost) : NO_URLS
  }

  /** Recordings are played through the daemon only. A server on this machine has the same name as it. */
  publicUrls(host: string): ServerUrls {
    if (!this.#config) return NO_URLS
    const name = this.#options.publicHost ?? (isLoopback(this.#apiHost) ? host : this.#apiHost)
    return { ...urlsOf(this.#config, name), playback: null }
  }

  lastErrorOf(): null {
    return null
  }

  start(): void {
    this.#state = 'starting'
    this.#running = this.#watch()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
    this.#state = 'stopped'
    this.#problem = null
  }

  async #watch(): Promise<void> {
    const { livenessMs = LIVENESS_MS } = this.#options
    for (let misses = 0; !this.#stopping.signal.aborted; ) {
      const askedAt = performance.now()
      const error = await this.#look(livenessMs).then(
        () => null,
        (thrown) => {
          if (!(thrown instanceof MediaMtxError)) throw thrown
          return thrown
        }
      )
      misses = error === null ? 0 : misses + 1
      // One that never was ready is not waited for.
      if (error !== null && (this.#state !== 'ready' || misses >= MISSES_UNTIL_UNREACHABLE)) this.#isLost(error)
      await pause(livenessMs - (performance.now() - askedAt), this.#stopping.signal)
    }
  }

  /** Asks the server who it is and how it is set, which may change while it runs. */
  async #look(timeoutMs: number): Promise<void> {
    const info = await this.#client.info(timeoutMs)
    const isKnown = this.#state === 'ready' && info.started === this.#info?.started
    const { problem, warnings } = judgeVersion(info.version)
    this.#info = info
    if (problem) {
      this.#isMisconfigured(problem)
      return
    }
    const config = await this.#client.globalConfig()
    const defaults = await this.#client.pathDefaults()
    if (this.#stopping.signal.aborted) return
    // It queues writes: another one is for a server that is set otherwise.
    if (!isDeepStrictEqual(config, this.#config)) this.#client = this.#newClient(config)
    this.#config = config
    this.#warnings = [...warnings, ...warningsOf(config, defaults, this.asksUs())]
    if (isKnown) return
    this.#state = 'ready'
    this.#problem = null
    this.#options.log.info({ version: info.version, warnings: this.#warnings }, 'the media server of others is ready')
    for (const listener of this.#readyListeners) listener()
  }

  #newClient(config: GlobalConfig): MediaMtxClient {
    const { server } = this.#options
    const playbackUrl = urlOf(config.playbackEncryption ? 'https' : 'http', config.playbackAddress, this.#apiHost)
    return new MediaMtxClient({ ...server, playbackUrl: playbackUrl ?? server.apiUrl })
  }

  #isLost(error: MediaMtxError): void {
    const { host } = new URL(this.#options.server.apiUrl)
    if (error.code === 'Misconfigured') {
      this.#isMisconfigured({
        code: 'server_refuses',
        message: `The media server at ${host} does not take our credential, or is no MediaMTX: ${error.message}`,
        remedy: 'Check FLIGHTCASE_MEDIAMTX_API, FLIGHTCASE_MEDIAMTX_USER and FLIGHTCASE_MEDIAMTX_PASSWORD.'
      })
      return
    }
    if (this.#state !== 'unreachable')
      this.#options.log.warn({ err: error }, 'the media server of others does not answer')
    this.#state = 'unreachable'
    this.#problem = {
      code: 'server_unreachable',
      message: `The media server at ${host} does not answer.`,
      remedy: 'Start it, or check FLIGHTCASE_MEDIAMTX_API. It is used again as soon as it answers.'
    }
  }

  #isMisconfigured(problem: ServerProblem): void {
    if (this.#problem?.message !== problem.message)
      this.#options.log.warn({ problem }, 'the media server cannot be used')
    this.#state = 'misconfigured'
    this.#problem = problem
  }
}

/** Whether a server asks the daemon, with its key, who may send and watch. */
function asksWith(key: string | null, { authMethod, authHTTPAddress = '', authHTTPExclude }: GlobalConfig): boolean {
  if (key === null || authMethod !== 'http' || !URL.canParse(authHTTPAddress)) return false
  const { pathname, searchParams } = new URL(authHTTPAddress)
  const isLeftOut = authHTTPExclude?.some(({ action }) => action === 'publish' || action === 'read') ?? false
  return pathname === AUTH_PATH && searchParams.get('k') === key && !isLeftOut
}

/** What will not work, or is open to everybody, because of settings that are not ours. */
function warningsOf(config: GlobalConfig, defaults: PathConf, asksUs: boolean): string[] {
  const isOpen =
    config.authMethod === 'internal' &&
    config.authInternalUsers?.some(
      ({ user, ips, permissions }) =>
        user === 'any' && !ips?.length && permissions?.some(({ action }) => action === 'read')
    )
  return [
    !asksUs &&
      'It does not ask Flightcase who may send and watch (`authMethod`, `authHTTPAddress`): its own rules decide, and keys to send with have no effect.',
    config.playback === false && 'Recordings cannot be played: the playback server is off (`playback`).',
    defaults.recordPath?.includes('%f') === false && 'Recordings cannot be played: `recordPath` has no `%f`.',
    defaults.recordFormat === 'mpegts' && 'Recordings cannot be played: `recordFormat` is not `fmp4`.',
    config.hls === false && 'Streams cannot be watched by HLS: it is off (`hls`).',
    isOpen === true && 'Everybody can watch every stream: `authInternalUsers` lets `any` read.'
  ].filter((warning) => warning !== false)
}

function urlsOf(config: GlobalConfig, host: string): ServerUrls {
  const http = (isEncrypted: boolean | undefined) => (isEncrypted ? 'https' : 'http')
  const isStrict = (encryption: string | undefined) => encryption === 'strict'
  return {
    hls: config.hls ? urlOf(http(config.hlsEncryption), config.hlsAddress, host) : null,
    webrtc: config.webrtc ? urlOf(http(config.webrtcEncryption), config.webrtcAddress, host) : null,
    rtsp: !config.rtsp
      ? null
      : isStrict(config.rtspEncryption)
        ? urlOf('rtsps', config.rtspsAddress, host)
        : urlOf('rtsp', config.rtspAddress, host),
    rtmp: !config.rtmp
      ? null
      : isStrict(config.rtmpEncryption)
        ? urlOf('rtmps', config.rtmpsAddress, host)
        : urlOf('rtmp', config.rtmpAddress, host),
    srt: config.srt ? urlOf('srt', config.srtAddress, host) : null,
    playback: config.playback ? urlOf(http(config.playbackEncryption), config.playbackAddress, host) : null
  }
}

/** `address` is what the server listens at, `:8554` for everywhere; only its port matters to whoever reaches it by a name. */
function urlOf(scheme: string, address: string | undefined, host: string): string | null {
  const port = /:(\d+)$/.exec(address ?? '')?.[1]
  return port === undefined ? null : `${scheme}://${isIP(host) === 6 ? `[${host}]` : host}:${port}`
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || host.startsWith('127.')
}
