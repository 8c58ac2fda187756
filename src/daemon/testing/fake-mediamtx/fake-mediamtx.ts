import { randomUUID } from 'node:crypto'
import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { type AccessRequest, Authenticator } from './authenticator.ts'
import { type Configuration, ConfigurationStore, findPathConf, readConfiguration } from './configuration.ts'
import { answerApi } from './control-api.ts'
import { FakeClock } from './fake-clock.ts'
import type { JsonObject } from './fields.ts'
import { parseDuration, parseInstant } from './go-values.ts'
import { answerHls } from './hls-server.ts'
import { HlsSessions } from './hls-sessions.ts'
import { type Exchange, type Failure, type Handler, type JournalEntry, Listener } from './listener.ts'
import { textOf, textsOf } from './path-conf.ts'
import { newPeer, type Peer, pictureAndSound, type Track } from './peers.ts'
import { answerPlayback } from './playback-server.ts'
import { segmentPath } from './record-path.ts'
import { segmentBytes } from './segment-media.ts'
import { Streams } from './streams.ts'

export const fakeVersion = 'v1.20.1'

export interface FakeMediaMtxOptions {
  /** As in a configuration file of the server; an address with port 0 takes a free one. */
  config: JsonObject
  /** A folder for its recordings that goes when it is closed. */
  recordRoot?: string | undefined
  /** How long a refusal of wrong credentials is held back; up to 4 s in the real server. */
  refusalDelayMs?: number | undefined
  log?: ((level: 'INF' | 'ERR', message: string) => void) | undefined
}

export interface PublishOptions extends Partial<Pick<Peer, 'user' | 'query' | 'remoteAddress'>> {
  /** `rtmpConn` unless told otherwise. */
  type?: keyof typeof publisherProtocols
  password?: string
  tracks?: Track[]
}

const publisherProtocols = {
  rtmpConn: 'rtmp',
  rtmpsConn: 'rtmp',
  rtspSession: 'rtsp',
  rtspsSession: 'rtsp',
  srtConn: 'srt',
  webRTCSession: 'webrtc'
} as const

/** Where a made segment belongs: the UUID of its recording, and its position in it from 0. */
export interface SegmentPlace {
  run?: string
  number?: number
}

/**
 * MediaMTX v1.20.1 as its clients see it: control API, playback and HLS over real HTTP, recordings in real files. What
 * comes from outside the server (who sends, which camera answers, how time passes) a test orders by the methods here.
 */
export class FakeMediaMtx {
  /** Every request that came, in the order of the answers. */
  readonly journal: JournalEntry[] = []
  readonly recordRoot: string | undefined
  readonly #clock = new FakeClock()
  readonly #log: (level: 'INF' | 'ERR', message: string) => void
  readonly #store: ConfigurationStore
  readonly #streams: Streams
  readonly #sessions: HlsSessions
  readonly #authenticator: Authenticator
  readonly #listeners: { api: Listener; playback: Listener; hls: Listener }
  readonly #failures: { route: string; failure: Failure }[] = []
  #file: JsonObject
  #startedUs = 0

  /** Throws the `Error` the server ends with where the configuration is wrong. */
  constructor(options: FakeMediaMtxOptions) {
    this.recordRoot = options.recordRoot
    this.#file = options.config
    this.#log = options.log ?? (() => undefined)
    this.#store = new ConfigurationStore(readConfiguration(options.config), () => this.#streams.applyConfiguration())
    const configuration = (): Configuration => this.#store.applied
    const { global } = configuration()
    this.#authenticator = new Authenticator(() => configuration().global, this.#log, options.refusalDelayMs ?? 0)
    this.#sessions = new HlsSessions(
      this.#clock,
      () => parseDuration(textOf(configuration().global, 'hlsMuxerCloseAfter')) / 1e6,
      ({ path, peer }) => this.#streams.get(path)?.removeReader(peer.id)
    )
    this.#streams = new Streams({
      clock: this.#clock,
      configuration,
      log: this.#log,
      onUnavailable: (path) => this.#sessions.closeMuxer(path)
    })
    const parts = {
      version: fakeVersion,
      startedUs: () => this.#startedUs,
      clock: this.#clock,
      configuration,
      store: this.#store,
      authenticator: this.#authenticator,
      streams: this.#streams,
      sessions: this.#sessions
    }
    const methods = 'OPTIONS, GET'
    this.#listeners = {
      playback: this.#listener('playback', global, { methods, headers: 'Authorization' }, (exchange) =>
        answerPlayback(parts, exchange)
      ),
      hls: this.#listener('hls', global, { methods, headers: 'Authorization, Range' }, (exchange) =>
        answerHls(parts, exchange)
      ),
      api: this.#listener(
        'api',
        global,
        { methods: 'OPTIONS, GET, POST, PATCH, DELETE', headers: 'Authorization, Content-Type' },
        (exchange) => answerApi(parts, exchange)
      )
    }
  }

  get urls(): { api: string; playback: string; hls: string } {
    const { api, playback, hls } = this.#listeners
    return { api: api.url, playback: playback.url, hls: hls.url }
  }

  /** Opens the listeners that are on, the API last. Rejects where a port is taken. */
  async start(): Promise<void> {
    this.#startedUs = this.#clock.nowUs()
    this.#streams.applyConfiguration()
    await this.up()
  }

  async close(): Promise<void> {
    await this.#stop()
    if (this.recordRoot) rmSync(this.recordRoot, { recursive: true, force: true })
  }

  /** Somebody begins to send to a path; resolves to its id, rejects where the server refuses. */
  async publish(path: string, options: PublishOptions = {}): Promise<string> {
    const { type = 'rtmpConn', password = '', tracks = pictureAndSound, ...about } = options
    const peer = newPeer(type, this.#clock.nowUs(), about)
    const access: AccessRequest = {
      action: 'publish',
      path,
      protocol: publisherProtocols[type],
      query: peer.query,
      ip: peer.remoteAddress.replace(/:\d+$/, ''),
      id: peer.id,
      user: peer.user,
      password,
      token: '',
      userAgent: ''
    }
    return this.#streams.inLoop(async () => {
      findPathConf(this.#store.applied, path)
      await this.#authenticator.check(access)
      this.#streams.publish(path, peer, tracks)
      return peer.id
    })
  }

  /** Whoever sends to a path ends. */
  unpublish(path: string): void {
    this.#streams.unpublish(path)
  }

  /** The camera of a pulling path answers from now on, or ceases to with an error. */
  pullConnected(path: string, isConnected: boolean, error = 'dial tcp 192.168.1.9:554: i/o timeout'): void {
    this.#streams.setCamera(path, isConnected, error)
  }

  /** Somebody begins to read a path; gives the id. */
  addReader(path: string, type = 'rtspSession'): string {
    const peer = newPeer(type, this.#clock.nowUs())
    this.#streams.addReader(path, peer)
    return peer.id
  }

  /** Puts a recorded file in place, as if it had been written then; gives its path. */
  addSegment(path: string, start: string, durationSeconds: number, place: SegmentPlace = {}): string {
    const file = this.segmentFile(path, start)
    mkdirSync(dirname(file), { recursive: true })
    const header = { run: place.run ?? randomUUID(), number: place.number ?? 0, startUs: parseInstant(start).us }
    writeFileSync(file, segmentBytes(header, Math.round(durationSeconds * 1000)))
    return file
  }

  /** Damages a recorded file: nothing left, cut within its header, or no video at all. */
  corruptSegment(path: string, start: string, how: 'empty' | 'cut' | 'garbage' = 'empty'): void {
    const file = this.segmentFile(path, start)
    if (how === 'garbage') writeFileSync(file, 'this is not a video at all')
    else truncateSync(file, how === 'empty' ? 0 : 100)
  }

  /** The file a segment with that start is in. */
  segmentFile(path: string, start: string): string {
    return segmentPath(findPathConf(this.#store.applied, path), path, parseInstant(start))
  }

  /** Ends the server and starts it again with what its file says: all that was written over the API is gone. */
  async restart(): Promise<void> {
    await this.#stop()
    this.#store.load(readConfiguration(this.#file))
    await this.start()
  }

  /** Somebody changed the paths in the configuration file: it is read again while the server goes on. */
  reloadFile(paths: JsonObject): void {
    this.#log('INF', 'reloading configuration (file changed)')
    this.#file = { ...this.#file, paths }
    this.#store.load(readConfiguration(this.#file))
  }

  /** How long a write is answered before it takes effect: `Infinity` holds it until the next call of this. */
  setApplyDelay(ms: number): void {
    this.#store.setApplyDelay(ms)
  }

  /** Lets the next request that begins so (`POST /v3/config/paths/add/`, the path decoded) fail. */
  failNext(route: string, failure: Failure): void {
    this.#failures.push({ route, failure })
  }

  /** Nobody reaches the server any more, though it goes on. */
  async down(): Promise<void> {
    const { api, hls, playback } = this.#listeners
    for (const listener of [api, hls, playback]) await listener.stop()
  }

  /** The server is reached again, at the same addresses. */
  async up(): Promise<void> {
    const { global } = this.#store.applied
    for (const name of ['playback', 'hls', 'api'] as const) {
      if (global[name] !== true) continue
      await this.#listeners[name].start()
      const address = this.#listeners[name].url.replace('http://', '')
      this.#log(
        'INF',
        `[${name === 'playback' ? name : name.toUpperCase()}] started with listener on ${address} (TCP/HTTP)`
      )
    }
  }

  /** Lets time pass: recordings grow, viewers who ask for nothing are dropped. */
  advanceClock(ms: number): void {
    this.#clock.advanceMs(ms)
    this.#streams.tick()
    this.#sessions.endIdle()
  }

  async #stop(): Promise<void> {
    await this.down()
    this.#streams.clear()
  }

  #listener(
    name: 'api' | 'playback' | 'hls',
    global: JsonObject,
    allow: { methods: string; headers: string },
    handle: Handler
  ): Listener {
    const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(textOf(global, `${name}Address`)) ?? []
    return new Listener({
      name,
      host: host || '127.0.0.1',
      port: Number(port),
      handle,
      allow,
      allowOrigins: () => textsOf(this.#store.applied.global, `${name}AllowOrigins`),
      journal: this.journal,
      takeFailure: (exchange) => this.#takeFailure(exchange),
      log: (level, message) => this.#log(level, `[${name === 'playback' ? name : name.toUpperCase()}] ${message}`)
    })
  }

  #takeFailure(exchange: Exchange): Failure | undefined {
    const asked = `${exchange.method} ${exchange.path}`
    const index = this.#failures.findIndex(({ route }) => asked.startsWith(route))
    return index < 0 ? undefined : this.#failures.splice(index, 1)[0]?.failure
  }
}
