import type { Logger } from 'pino'
import type { MediaSource } from '../../../shared/api/sources.ts'
import { messageOf } from '../../errors.ts'
import { isOutage } from '../../mediamtx/is-outage.ts'
import type { MediaServer } from '../../mediamtx/media-server.ts'
import { diffOf } from '../../mediamtx/path-conf.ts'
import type { SourcesRepository } from './sources.repository.ts'
import { type RecordConf, wantedPath } from './wanted-path.ts'

export interface PathReconcilerDeps {
  repository: SourcesRepository
  server: MediaServer
  recordConf: RecordConf
  /** Whether paths below `live/` that no source has are removed: not where others use the server, too. */
  ownsPaths: boolean
  log: Logger
  intervalMs?: number
}

export interface ReconcileReport {
  written: number
  removed: number
  failed: number
}

const INTERVAL_MS = 30_000

/**
 * Has the media server's paths follow the sources: it forgets what it was told when it restarts, and whenever its file is touched. At
 * the start, each time it comes back, and every half minute.
 */
export class PathReconciler {
  readonly #deps: PathReconcilerDeps
  readonly #drifts = new Map<string, MediaSource['drift']>()
  readonly #stopping = new AbortController()
  #running: Promise<ReconcileReport> | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(deps: PathReconcilerDeps) {
    this.#deps = deps
  }

  /** How a source's path differed when it was last looked at and could not be mended. */
  driftOf(sourceId: string): MediaSource['drift'] {
    return this.#drifts.get(sourceId) ?? null
  }

  start(): void {
    this.#deps.server.onReady(() => this.#try())
    this.#timer = setInterval(() => this.#try(), this.#deps.intervalMs ?? INTERVAL_MS).unref()
  }

  /** Ends after the path that is being written. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    clearInterval(this.#timer)
    await this.#running?.catch(() => undefined)
  }

  /** Compares and mends; one at a time: who asks meanwhile gets the result of the next. */
  async run(): Promise<ReconcileReport> {
    await this.#running?.catch(() => undefined)
    this.#running ??= this.#pass().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  #try(): void {
    if (this.#stopping.signal.aborted) return
    this.run().catch((error: unknown) => {
      // The server tells itself when it is away; coming back begins this anew.
      if (!isOutage(error)) this.#deps.log.error({ err: error }, 'the paths of the media server cannot be compared')
    })
  }

  async #pass(): Promise<ReconcileReport> {
    const { repository, server, recordConf, ownsPaths, log } = this.#deps
    const client = server.client()
    const actual = await client.listPathConfs()
    const report: ReconcileReport = { written: 0, removed: 0, failed: 0 }
    // Read after the server was asked: what was added meanwhile is in both, what was removed in neither.
    const sources = repository.all()
    for (const source of sources) {
      if (this.#stopping.signal.aborted) return report
      const conf = actual.get(source.pathName)
      if (conf && Object.keys(diffOf(wantedPath(source, recordConf), conf)).length === 0) {
        this.#drifts.delete(source.id)
        continue
      }
      if (await this.#write(source.id, conf ? 'differs' : 'missing')) report.written++
      else report.failed++
    }
    const known = new Set(sources.map(({ pathName }) => pathName))
    for (const name of ownsPaths ? actual.keys() : [])
      if (!known.has(name) && !repository.findByPath(name)) {
        await client.deletePath(name)
        report.removed++
      }
    if (report.written + report.removed + report.failed > 0) log.info(report, 'paths of the media server put right')
    return report
  }

  /** Writes what is wanted by now; false where the server does not take it. Throws where it does not answer. */
  async #write(sourceId: string, drift: 'missing' | 'differs'): Promise<boolean> {
    const { repository, server, log, recordConf } = this.#deps
    const source = repository.find(sourceId)
    if (!source) return true
    try {
      await server.client().replacePath(source.pathName, wantedPath(source, recordConf))
      this.#drifts.delete(sourceId)
      return true
    } catch (error) {
      this.#drifts.set(sourceId, drift)
      if (isOutage(error)) throw error
      log.warn({ path: source.pathName, reason: messageOf(error) }, 'the media server does not take a path')
      return false
    }
  }
}
