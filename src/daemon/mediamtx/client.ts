import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import {
  type GlobalConfig,
  globalConfigSchema,
  infoSchema,
  pageSchema,
  playbackListSchema,
  type RecordedSpan,
  recordingSchema,
  runtimePathSchema,
  type ServerInfo
} from './answers.ts'
import { MediaMtxError, type MediaMtxErrorCode } from './errors.ts'
import { isPathName, type PathConf, pathConfSchema } from './path-conf.ts'
import { CALL_TIMEOUT_MS, type Call, type Credential, Transport } from './transport.ts'

export interface MediaMtxClientOptions {
  /** Of the control API, without `/v3`. */
  apiUrl: string
  /** Of the playback server. */
  playbackUrl: string
  credential: Credential | null
  fetch?: typeof fetch
}

/** A path as it is now; all of it that the server says and we use. */
export type RuntimePath = z.output<typeof runtimePathSchema>

/** Between which times, RFC 3339. */
export interface PlaybackWindow {
  start?: string
  end?: string
}

/** `fmp4` begins at once; `mp4` knows its length, but all of it is looked at before its first byte comes. */
export interface PlaybackRequest {
  start: string
  durationS: number
  format: 'fmp4' | 'mp4'
}

const ITEMS_PER_PAGE = 1000
const EFFECT_TIMEOUT_MS = 5000
const FIRST_POLL_MS = 50
const LONGEST_POLL_MS = 500

/** Where those who publish are kicked, by the type that `source` names. */
const KINDS: Record<string, string> = {
  rtmpConn: 'rtmpconns',
  rtmpsConn: 'rtmpsconns',
  rtspSession: 'rtspsessions',
  rtspsSession: 'rtspssessions',
  srtConn: 'srtconns',
  webRTCSession: 'webrtcsessions',
  moqSession: 'moqsessions'
}

/**
 * The control API and the playback server of one MediaMTX, v1.18 or later. Every call raises `MediaMtxError`, after 10 s
 * at the latest; paths that are not named as ours raise a plain `Error` before anything is sent. Writes are sent one
 * after another, in the order of the calls.
 */
export class MediaMtxClient {
  readonly #api: string
  readonly #playback: string
  readonly #transport: Transport
  #lastWrite: Promise<unknown> = Promise.resolve()
  constructor(options: MediaMtxClientOptions) {
    this.#api = `${options.apiUrl.replace(/\/+$/, '')}/v3`
    this.#playback = options.playbackUrl.replace(/\/+$/, '')
    this.#transport = new Transport(options.credential, options.fetch ?? fetch)
  }

  /** Which MediaMTX this is, and since when it runs. */
  async info(timeoutMs: number = CALL_TIMEOUT_MS): Promise<ServerInfo> {
    return await this.#transport.json({ url: this.#url('info'), isIdempotent: true }, infoSchema, timeoutMs)
  }

  async globalConfig(): Promise<GlobalConfig> {
    return await this.#get(this.#url('config/global/get'), globalConfigSchema)
  }

  /** What holds for a path where it says nothing else. */
  async pathDefaults(): Promise<PathConf> {
    return await this.#get(this.#url('config/pathdefaults/get'), pathConfSchema)
  }

  /** A new path. Raises `Conflict` when there is one of that name. It holds some moments later: see `waitForPath`. */
  async addPath(name: string, conf: PathConf): Promise<void> {
    const refusal: Call['refusal'] = (status, text) =>
      status === 400 && text.includes('already exists') ? new MediaMtxError('Conflict', text) : null
    await this.#write({ method: 'POST', url: this.#urlOf('config/paths/add', name), body: sendable(conf), refusal })
  }

  /** Makes a path be exactly so, whether or not there was one; what `conf` does not name gets its default. */
  async replacePath(name: string, conf: PathConf): Promise<void> {
    const url = this.#urlOf('config/paths/replace', name)
    await this.#write({ method: 'POST', url, body: sendable(conf), isIdempotent: true })
  }

  /** Changes some fields of a path. Raises `NotFound` when there is none: then make it again with `replacePath`. */
  async patchPath(name: string, diff: PathConf): Promise<void> {
    const url = this.#urlOf('config/paths/patch', name)
    await this.#write({ method: 'PATCH', url, body: sendable(diff), isIdempotent: true })
  }

  /** Ends a path with all who send and read. Its recordings stay on the disk. A path that is not there is fine. */
  async deletePath(name: string): Promise<void> {
    await this.#write({ method: 'DELETE', url: this.#urlOf('config/paths/delete', name), isIdempotent: true }).catch(
      unlessNotFound
    )
  }

  /** What holds for a path, defaults and all; null when there is none. `source` has its password in it. */
  async getPathConf(name: string, signal?: AbortSignal): Promise<PathConf | null> {
    return await this.#get(this.#urlOf('config/paths/get', name), pathConfSchema, signal).catch(nullIfNotFound)
  }

  /** All paths named as ours are. */
  async listPathConfs(): Promise<Map<string, PathConf>> {
    const items = await this.#all('config/paths/list', pathConfSchema.extend({ name: z.string() }))
    const ours = items.filter(({ name }) => isPathName(name))
    return new Map(ours.map(({ name, ...conf }) => [name, conf]))
  }

  /**
   * Waits until a path's configuration is as asked: the server answers a write before it applies it. Raises `Unavailable`
   * after 5 s, or the signal's reason.
   */
  async waitForPath(name: string, holds: (conf: PathConf | null) => boolean, signal?: AbortSignal): Promise<void> {
    const deadline = performance.now() + EFFECT_TIMEOUT_MS
    for (let pauseMs = FIRST_POLL_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_POLL_MS)) {
      if (holds(await this.getPathConf(name, signal))) return
      if (performance.now() + pauseMs > deadline)
        throw new MediaMtxError('Unavailable', `${name}: a change was accepted but does not show`)
      await sleep(pauseMs, undefined, signal && { signal })
    }
  }

  /** A path as it is now; null when the server does not know it. */
  async getPath(name: string): Promise<RuntimePath | null> {
    return await this.#get(this.#urlOf('paths/get', name), runtimePathSchema).catch(nullIfNotFound)
  }

  /** All paths as they are now, also those of others. */
  async listPaths(): Promise<RuntimePath[]> {
    const paths = await this.#all('paths/list', runtimePathSchema)
    return [...new Map(paths.map((path) => [path.name, path])).values()]
  }

  /**
   * The starts of a path's segments, ascending, the one being written last; exactly as the server writes them. Raises
   * `NotFound` when it does not know the path.
   */
  async getRecordings(name: string): Promise<string[]> {
    const call = { url: this.#urlOf('recordings/get', name), isIdempotent: true, refusal: unconfigured }
    return (await this.#transport.json(call, recordingSchema)).starts
  }

  /**
   * Deletes a segment by its start as `getRecordings` gave it. Raises `NotFound` when there is no such segment, and `Unavailable` when the
   * server does not know the path just now: the file may lie there all the same.
   */
  async deleteSegment(name: string, rawStart: string): Promise<void> {
    const url = this.#url('recordings/deletesegment')
    url.search = String(new URLSearchParams({ path: checked(name), start: rawStart }))
    const refusal: Call['refusal'] = (status, text) =>
      // The text goes on with a path of the server's disk.
      status === 400 && text.startsWith('remove ')
        ? new MediaMtxError('NotFound', `${name} has no segment that starts at ${rawStart}`)
        : unconfigured(status, text, 'Unavailable')
    await this.#write({ method: 'DELETE', url, isIdempotent: true, refusal })
  }

  /**
   * What was recorded without a break, ascending, cut to the window; empty where nothing was. The server opens every
   * file of the window for it. Raises `NotFound` when it does not know the path, `Corrupt` when it cannot read a file.
   */
  async playbackList(name: string, window: PlaybackWindow = {}): Promise<RecordedSpan[]> {
    const url = new URL(`${this.#playback}/list`)
    url.search = String(new URLSearchParams({ path: checked(name), ...window }))
    const call = { url, isIdempotent: true, refusal: playbackRefusal }
    return await this.#transport.json(call, playbackListSchema).catch((error) => {
      if (error instanceof NothingRecorded) return []
      throw error
    })
  }

  /**
   * What was recorded from a time on, as one file, at most up to the next break. The caller reads or cancels the body.
   * Raises `NotFound` when nothing was recorded then, `Corrupt` when a file cannot be read, and the signal's reason.
   */
  async openPlayback(
    name: string,
    { start, durationS, format }: PlaybackRequest,
    signal: AbortSignal
  ): Promise<{ body: ReadableStream<Uint8Array>; contentType: string }> {
    const url = new URL(`${this.#playback}/get`)
    url.search = String(new URLSearchParams({ path: checked(name), start, duration: String(durationS), format }))
    const response = await this.#transport.open({ url, signal, refusal: playbackRefusal })
    if (!response.body) throw new MediaMtxError('Unavailable', 'the playback server answered nothing')
    return { body: response.body, contentType: response.headers.get('content-type') ?? 'video/mp4' }
  }

  /**
   * Disconnects whoever sends to a path; most come again at once, so their key goes first. What is fetched, and what is of a kind that is not
   * known, cannot be kicked.
   */
  async kickPublisher(name: string): Promise<void> {
    const { source } = (await this.getPath(name)) ?? {}
    const kind = source && KINDS[source.type]
    if (!kind) return
    await this.#write({ method: 'POST', url: this.#url(`${kind}/kick/${encodeURIComponent(source.id)}`) }).catch(
      unlessNotFound
    )
  }

  async #all<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema>[]> {
    const items: z.output<Schema>[] = []
    for (let page = 0, pageCount = 1; page < pageCount; page += 1) {
      const url = this.#url(path)
      url.search = `itemsPerPage=${ITEMS_PER_PAGE}&page=${page}`
      const answer = await this.#get(url, pageSchema.extend({ items: z.array(schema) }))
      items.push(...answer.items)
      pageCount = answer.pageCount
    }
    return items
  }

  async #get<Schema extends z.ZodType>(url: URL, schema: Schema, signal?: AbortSignal): Promise<z.output<Schema>> {
    return await this.#transport.json({ url, isIdempotent: true, ...(signal && { signal }) }, schema)
  }

  async #write(call: Call): Promise<void> {
    const write = this.#lastWrite.then(() => this.#transport.send(call))
    this.#lastWrite = write.catch(() => undefined)
    await write
  }

  #url(path: string): URL {
    return new URL(`${this.#api}/${path}`)
  }

  #urlOf(path: string, name: string): URL {
    return this.#url(`${path}/${checked(name).split('/').map(encodeURIComponent).join('/')}`)
  }
}

/** `URL` folds dots away, so another name could lead to another operation. */
function checked(name: string): string {
  if (!isPathName(name)) throw new Error(`${JSON.stringify(name)} is no path of ours`)
  return name
}

/** Only fields that are ours to set, whatever else an object has on it. */
function sendable(conf: PathConf): PathConf {
  return pathConfSchema.parse(conf)
}

/** The directory of a path's recordings is not there, or nothing in it is of that time. */
class NothingRecorded extends MediaMtxError {}

const UNREADABLE = /\bEOF\b|\bbox not found|no moof boxes found|invalid box/

function playbackRefusal(status: number, text: string): MediaMtxError | null {
  // The text is the operating system's, with a path of the server's disk in it.
  if (status === 400 && /^(lstat|stat|open|CreateFile|GetFileAttributesEx|FindFirstFile) /.test(text))
    return new NothingRecorded('NotFound', 'nothing was recorded')
  if (status === 404) return new NothingRecorded('NotFound', text)
  if (UNREADABLE.test(text)) return new MediaMtxError('Corrupt', text)
  if (text.startsWith('MPEG-TS')) return new MediaMtxError('Invalid', text)
  return unconfigured(status, text)
}

function unconfigured(status: number, text: string, code: MediaMtxErrorCode = 'NotFound'): MediaMtxError | null {
  return status === 400 && text.endsWith('is not configured') ? new MediaMtxError(code, text) : null
}

function isNotFound(error: unknown): boolean {
  return error instanceof MediaMtxError && error.code === 'NotFound'
}

function nullIfNotFound(error: unknown): null {
  if (isNotFound(error)) return null
  throw error
}

function unlessNotFound(error: unknown): void {
  if (!isNotFound(error)) throw error
}
