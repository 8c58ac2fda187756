import { spawn } from 'node:child_process'
import type { Logger } from 'pino'
import type { Clock } from '../../clock.ts'
import { AppError } from '../../errors.ts'
import { redact } from '../../mediamtx/errors.ts'
import type { Source } from './sources.repository.ts'

export interface Snapshot {
  jpeg: Buffer
  takenAtMs: number
}

export interface SnapshotsDeps {
  clock: Clock
  log: Logger
  ffmpegPath: () => string | null
  /** Whether somebody sends it now: a camera that is fetched on demand is not fetched for a picture. */
  isConnected: (source: Source) => boolean
  /** Where this machine reads a stream at. Throws while the media server does not answer. */
  addressOf: (source: Source) => string
}

/** A picture is good for so long. */
const FRESH_MS = 4000
/** A stream without pictures is not asked at every look. */
const FAILURE_REST_MS = 10_000
/** A picture begins with a key frame, and some cameras send one in ten seconds. */
const TIMEOUT_MS = 15_000
const AT_ONCE = 2
/** More would wait longer than anybody looks: they are told that there is none yet, and come again. */
const MAX_WAITING = 30
/** About 50 MB. */
const KEPT = 1000
const WIDTH_PX = 640

/** Pictures of streams as they are now: taken when somebody looks, few at once, and kept when the stream is over. */
export class Snapshots {
  readonly #deps: SnapshotsDeps
  readonly #kept = new Map<string, Snapshot>()
  readonly #taking = new Map<string, Promise<Snapshot>>()
  readonly #failedAtMs = new Map<string, number>()
  readonly #waiting: (() => void)[] = []
  #running = 0
  readonly #ending = new AbortController()

  constructor(deps: SnapshotsDeps) {
    this.#deps = deps
  }

  /**
   * The newest picture: a new one where the last is some seconds old and one can be had, else the last, however old. Who has seen one
   * gets that at once while the next is taken. Null where there is none.
   */
  async latest(source: Source): Promise<Snapshot | null> {
    const kept = this.#kept.get(source.id) ?? null
    const nowMs = this.#deps.clock.nowMs()
    const isFresh = kept !== null && nowMs - kept.takenAtMs < FRESH_MS
    const rests = nowMs - (this.#failedAtMs.get(source.id) ?? Number.NEGATIVE_INFINITY) < FAILURE_REST_MS
    const isCrowded = this.#waiting.length >= MAX_WAITING && !this.#taking.has(source.id)
    if (isFresh || rests || isCrowded || !this.#deps.isConnected(source)) return kept
    const taking = this.#begin(source).catch((error: unknown) => {
      this.#deps.log.debug({ err: error, path: source.pathName }, 'there is no picture of a stream')
      return null
    })
    return kept ?? taking
  }

  /** A picture of this moment in full size. Throws `snapshot_not_available`, also where too many are asked for. */
  async inFull(source: Source): Promise<Buffer> {
    try {
      if (this.#waiting.length >= MAX_WAITING) throw new Error('too many pictures are asked for')
      return await this.#inTurn(() => this.#grab(source, ['-q:v', '2']))
    } catch (error) {
      throw new AppError('snapshot_not_available', { sourceId: source.id }, { cause: error })
    }
  }

  #begin(source: Source): Promise<Snapshot> {
    const taking = this.#taking.get(source.id) ?? this.#take(source).finally(() => this.#taking.delete(source.id))
    this.#taking.set(source.id, taking)
    return taking
  }

  forget(sourceId: string): void {
    this.#kept.delete(sourceId)
    this.#failedAtMs.delete(sourceId)
  }

  stop(): void {
    this.#ending.abort()
  }

  async #take(source: Source): Promise<Snapshot> {
    const { clock } = this.#deps
    try {
      const small = ['-vf', `scale='min(${WIDTH_PX},iw)':-2`, '-q:v', '5']
      const jpeg = await this.#inTurn(() => this.#grab(source, small))
      const snapshot = { jpeg, takenAtMs: clock.nowMs() }
      this.#failedAtMs.delete(source.id)
      this.#kept.delete(source.id)
      this.#kept.set(source.id, snapshot)
      const oldest = this.#kept.keys().next().value
      if (this.#kept.size > KEPT && oldest !== undefined) this.#kept.delete(oldest)
      return snapshot
    } catch (error) {
      this.#failedAtMs.set(source.id, clock.nowMs())
      throw error
    }
  }

  /** Who ends hands their place to the next who waits. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < AT_ONCE) this.#running++
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#running--
    }
  }

  async #grab(source: Source, quality: string[]): Promise<Buffer> {
    const ffmpegPath = this.#deps.ffmpegPath()
    if (ffmpegPath === null) throw new Error('there is no ffmpeg')
    const input = ['-rtsp_transport', 'tcp', '-i', this.#deps.addressOf(source)]
    const output = ['-frames:v', '1', ...quality, '-f', 'mjpeg', 'pipe:1']
    const signal = AbortSignal.any([this.#ending.signal, AbortSignal.timeout(TIMEOUT_MS)])
    const child = spawn(ffmpegPath, ['-hide_banner', '-nostdin', '-v', 'error', ...input, ...output], {
      stdio: ['ignore', 'pipe', 'pipe'],
      signal,
      killSignal: 'SIGKILL',
      windowsHide: true
    })
    const chunks: Buffer[] = []
    let words = ''
    child.stdout.on('data', (chunk: Buffer) => void chunks.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => {
      if (words.length < 1000) words += chunk.toString()
    })
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
    })
    if (chunks.length === 0) throw new Error(`no picture came: ${redact(words)}`)
    return Buffer.concat(chunks)
  }
}
