import { mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { type Clock, localDay } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import { AppError, messageOf } from '../../errors.ts'
import { isMissingFile } from '../../files.ts'
import { newId } from '../../ids.ts'
import type { JobQueue } from '../../jobs/job-queue.ts'
import { withFileSource } from '../../media/byte-source.ts'
import type { RecordedSpan } from '../../mediamtx/answers.ts'
import { MediaMtxError } from '../../mediamtx/errors.ts'
import { isOutage } from '../../mediamtx/is-outage.ts'
import { KeyedLock } from '../ingest/keyed-lock.ts'
import { isoFromUs, startOfFile, US_PER_MS, US_PER_S, usFromIso } from './instants.ts'
import { readSegment } from './read-segment.ts'
import type { RecordingPlace } from './recorded-sources.ts'
import type { RecordingGrowth } from './recording-growth.ts'
import type { RecordingServer } from './recording-server.ts'
import { checkSegmentJob } from './recordings.jobs.ts'
import type { SegmentFacts, SegmentRow, SegmentsRepository } from './segments.repository.ts'

export interface RecordingIndexDeps {
  db: Database
  clock: Clock
  log: Logger
  queue: JobQueue
  server: RecordingServer
  segments: SegmentsRepository
  growth: RecordingGrowth
}

/** Says that a folder is the one of our recordings. */
const MARKER = '.flightcase-recordings'
const MARKER_TEXT = 'Recordings of Flightcase. Without this file they are taken to be away.\n'
/** What is written gets a part every second; what was not touched for so long is not written any more. */
const OPEN_REST_MS = 30_000
/** File systems tell the time of a change roughly. */
const FOLDER_REST_MS = 2000
const NOTED_AT_ONCE = 100
const DAY_US = 86_400 * US_PER_S

/** A file as it was found. */
interface Found {
  startUs: number
  fileName: string | null
  rawStart: string | null
}

/** The same with what it says. */
interface Looked extends Found {
  facts: SegmentFacts
}

/** What the index has of a path. */
interface Known {
  starts: ReadonlySet<number>
  open: ReadonlyMap<number, SegmentRow>
}

/** Keeps the index in step with what lies on the disk of the media server, without any help of it. */
export class RecordingIndex {
  readonly #deps: RecordingIndexDeps
  /** When the folder of a path was last changed, as far as it was looked at. */
  readonly #foldersSeen = new Map<string, number>()
  /** Where the whole parts of files end that are still written, and how long they are up to there. */
  readonly #readUpTo = new Map<string, { wholeBytes: number; durationMs: number | null }>()
  readonly #locks = new KeyedLock()
  #rootTrouble: string | null = null

  constructor(deps: RecordingIndexDeps) {
    this.#deps = deps
  }

  /** Where a file lies; null where the media server runs elsewhere. */
  filePath({ pathName, fileName }: Pick<SegmentRow, 'pathName' | 'fileName'>): string | null {
    const { recordRoot } = this.#deps.server
    return recordRoot === null || fileName === null ? null : join(recordRoot, ...pathName.split('/'), fileName)
  }

  /**
   * Looks at some paths, one after the other. One that cannot be looked at now stays as it is. Ends early when `signal` is aborted.
   */
  async scan(paths: readonly RecordingPlace[], signal?: AbortSignal): Promise<void> {
    if (!(await this.isRootThere())) return
    for (const path of paths) {
      if (signal?.aborted) return
      await this.exclusively(path.sourceId, () => this.#tryPath(path, signal))
    }
  }

  /** Looks at a path. Raises `recording_away` while its disk is away, the file system's errors and `MediaMtxError`. */
  async look(path: RecordingPlace, signal?: AbortSignal): Promise<void> {
    await this.assertRootThere()
    await this.exclusively(path.sourceId, () => this.#scanPath(path, signal))
  }

  /** Looks at a path and then does `work`, before anybody else looks or deletes there. */
  async scanThen<T>(path: RecordingPlace, work: () => T): Promise<T> {
    const isThere = await this.isRootThere()
    return this.exclusively(path.sourceId, async () => {
      if (isThere) await this.#tryPath(path)
      return work()
    })
  }

  /** Does `work` while nobody looks at what was recorded of a source. */
  exclusively<T>(sourceId: string, work: () => Promise<T>): Promise<T> {
    return this.#locks.run(sourceId, work)
  }

  async #tryPath(path: RecordingPlace, signal?: AbortSignal): Promise<void> {
    try {
      await this.#scanPath(path, signal)
    } catch (error) {
      if (signal?.aborted) return
      // That the server is away is known, and told elsewhere.
      const level = isServerTrouble(error) ? 'debug' : 'warn'
      this.#deps.log[level]({ path: path.pathName, reason: messageOf(error) }, 'recordings could not be looked at')
    }
  }

  async #scanPath(path: RecordingPlace, signal?: AbortSignal): Promise<void> {
    const { server, segments, growth } = this.#deps
    if (server.recordRoot === null) await this.#scanServer(path)
    else {
      this.#endElsewhere(path)
      await this.#scanFolder(path, join(server.recordRoot, ...path.pathName.split('/')), signal)
    }
    growth.note(path.sourceId, segments.listOpen(path.sourceId).at(-1) ?? null)
  }

  /** What a media server elsewhere still wrote when it was used last is not followed from here. */
  #endElsewhere({ sourceId }: RecordingPlace): void {
    const { db, segments } = this.#deps
    const files = segments.listOpen(sourceId).filter(({ fileName }) => fileName === null)
    if (files.length === 0) return
    db.transaction(() => {
      for (const file of files) segments.update(file.id, { ...file, state: 'unchecked' })
    })
  }

  /**
   * Whether the disk of the recordings is there, told by a file that was put on it before the first of them: a folder of the same name,
   * where the disk would be, is no reason to forget what is on it.
   */
  async isRootThere(): Promise<boolean> {
    const { recordRoot } = this.#deps.server
    if (recordRoot === null) return true
    const trouble = await this.#findRoot(recordRoot)
    if (trouble !== null && trouble !== this.#rootTrouble) this.#deps.log.warn({ folder: recordRoot }, trouble)
    this.#rootTrouble = trouble
    return trouble === null
  }

  /** Null where it is there, or begins to be; else what is the matter. */
  async #findRoot(folder: string): Promise<string | null> {
    const { segments } = this.#deps
    const marked = segments.markedFolder()
    if (!(await isMarked(folder))) {
      // Whoever sets another folder begins anew there.
      const isOther = marked !== null && marked !== folder
      if (!isOther && segments.hasFilesHere()) return 'the folder of the recordings is gone, or another one'
      try {
        await mkdir(folder, { recursive: true })
        await writeFile(join(folder, MARKER), MARKER_TEXT)
      } catch (error) {
        return `nothing can be kept in the folder of the recordings: ${messageOf(error)}`
      }
    }
    if (marked !== folder) segments.setMarkedFolder(folder)
    return null
  }

  /** The same of a base that has recordings, else true. Changes nothing. */
  async isDiskThere(): Promise<boolean> {
    const { server, segments } = this.#deps
    return server.recordRoot === null || !segments.hasFilesHere() || isMarked(server.recordRoot)
  }

  /** Throws `recording_away` where it is not. */
  async assertRootThere(): Promise<void> {
    if (!(await this.isRootThere())) throw new AppError('recording_away')
  }

  async #scanFolder(path: RecordingPlace, folder: string, signal?: AbortSignal): Promise<void> {
    const folderMs = await changeOf(folder)
    // No file came or went: only what is still written can have grown.
    if (folderMs !== null && this.#foldersSeen.get(folder) === folderMs) {
      const open = this.#openOf(path)
      await this.#noteFiles(path, [...open.values()], { starts: new Set(), open }, folder, signal)
      return
    }
    const known = this.#knownOf(path)
    const entries = folderMs === null ? [] : await readdir(folder, { withFileTypes: true })
    const found = entries.flatMap((entry): Found[] => {
      const startUs = entry.isFile() ? startOfFile(entry.name) : null
      return startUs === null ? [] : [{ startUs, fileName: entry.name, rawStart: null }]
    })
    await this.#noteFiles(path, found, known, folder, signal)
    this.#forget(path, found, known)
    if (folderMs !== null && this.#deps.clock.nowMs() - folderMs > FOLDER_REST_MS)
      this.#foldersSeen.set(folder, folderMs)
  }

  /** Reads and notes the files that are new, or were still written when they were last looked at; some at a time. */
  async #noteFiles(
    path: RecordingPlace,
    found: readonly Found[],
    known: Known,
    folder: string,
    signal: AbortSignal | undefined
  ): Promise<void> {
    const unsettled = found.filter(({ startUs }) => !isSettled(known, startUs))
    for (let at = 0; at < unsettled.length; at += NOTED_AT_ONCE) {
      signal?.throwIfAborted()
      const looked: Looked[] = []
      for (const each of unsettled.slice(at, at + NOTED_AT_ONCE)) {
        const facts = await this.#readFile(join(folder, each.fileName!))
        if (facts) looked.push({ ...each, facts })
      }
      this.#note(path, looked, known)
    }
  }

  /** Null for a file that went meanwhile. */
  async #readFile(filePath: string): Promise<SegmentFacts | null> {
    const mtimeMs = await changeOf(filePath)
    if (mtimeMs === null) return null
    const before = this.#readUpTo.get(filePath)
    const file = await withFileSource(filePath, async (source) => ({
      ...(await readSegment(source, { isThorough: false, resumeAt: before?.wholeBytes })),
      sizeBytes: source.sizeBytes
    }))
    const { sizeBytes, run, isClosed, wholeBytes } = file
    const durationMs = file.durationMs ?? before?.durationMs ?? null
    // Not only the newest: a clock that was put back gives what is written now an older name.
    const isOpen = !isClosed && this.#deps.clock.nowMs() - mtimeMs < OPEN_REST_MS
    if (isOpen && wholeBytes > 0) this.#readUpTo.set(filePath, { wholeBytes, durationMs })
    else this.#readUpTo.delete(filePath)
    return { durationMs, sizeBytes, run, state: isOpen ? 'open' : 'unchecked', problem: null }
  }

  /** A server elsewhere names the starts only; how long files are follows from what it plays in one go. */
  async #scanServer(path: RecordingPlace): Promise<void> {
    const client = this.#deps.server.client()
    const known = this.#knownOf(path)
    const found = (await client.getRecordings(path.pathName)).flatMap((rawStart): Found[] => {
      const startUs = usFromIso(rawStart)
      return startUs === null ? [] : [{ startUs, fileName: null, rawStart }]
    })
    const isOpen = path.isRecorded && (await client.getPath(path.pathName))?.available === true
    const unsettled = found.flatMap((each, index) => (isSettled(known, each.startUs) ? [] : [{ each, index }]))
    for (let at = 0; at < unsettled.length; ) {
      const fromUs = unsettled[at]!.each.startUs
      // It opens every file of a window, so that is a day at most. No file is longer than that.
      const some = unsettled.slice(at).filter(({ each }) => each.startUs < fromUs + DAY_US)
      const spans = await this.#spansOf(path, fromUs, some.at(-1)!.each.startUs + DAY_US)
      const looked = some.map(({ each, index }): Looked => {
        const next = found[index + 1]
        const durationMs = durationWithin(spans, each.startUs, next?.startUs ?? null)
        const state = isOpen && !next ? 'open' : 'unchecked'
        return { ...each, facts: { durationMs, sizeBytes: null, run: null, state, problem: null } }
      })
      this.#note(path, looked, known)
      at += some.length
    }
    this.#forget(path, found, known)
  }

  /** Empty where the server cannot say: a single damaged file is enough for that. */
  async #spansOf({ pathName }: RecordingPlace, fromUs: number, toUs: number): Promise<RecordedSpan[]> {
    const window = { start: isoFromUs(fromUs), end: isoFromUs(toUs) }
    try {
      return await this.#deps.server.client().playbackList(pathName, window)
    } catch (error) {
      if (error instanceof MediaMtxError && error.code === 'Corrupt') return []
      throw error
    }
  }

  #knownOf(path: RecordingPlace): Known {
    // What was recorded before the media server moved elsewhere, or here, is not forgotten because it is not found there.
    const where = this.#deps.server.recordRoot === null ? 'elsewhere' : 'here'
    return { starts: this.#deps.segments.listStarts(path.sourceId, where), open: this.#openOf(path) }
  }

  #openOf({ sourceId }: RecordingPlace): Known['open'] {
    const open = this.#deps.segments.listOpen(sourceId)
    return new Map(open.map((segment) => [segment.startUs, segment]))
  }

  #note(path: RecordingPlace, looked: readonly Looked[], known: Known): void {
    const { db, clock, segments, queue } = this.#deps
    const { sourceId, workspaceId, pathName } = path
    const changed = looked.filter(({ startUs, facts }) => !isSame(known.open.get(startUs), facts))
    if (changed.length === 0) return
    db.transaction(() => {
      for (const { facts, ...file } of changed) {
        const before = known.open.get(file.startUs)
        const id = before?.id ?? newId(clock.nowMs())
        const day = localDay(file.startUs / US_PER_MS)
        if (before) segments.update(id, facts)
        else segments.insert({ id, sourceId, workspaceId, pathName, day, ...file, ...facts, isKept: false })
        if (facts.state === 'unchecked' && file.fileName !== null)
          queue.enqueue(checkSegmentJob, { segmentId: id }, { workspaceId })
      }
    })
  }

  /** What somebody asked to keep is only away: it may come back, with its disk or from a copy, and is still to be kept then. */
  #forget(path: RecordingPlace, found: readonly Found[], known: Known): void {
    const { db, segments, log } = this.#deps
    const there = new Set(found.map(({ startUs }) => startUs))
    const gone = [...known.starts].filter((startUs) => !there.has(startUs))
    if (gone.length === 0) return
    const files = db.transaction(() => gone.filter((startUs) => segments.forgetAt(path.sourceId, startUs)).length)
    if (files > 0) log.warn({ path: path.pathName, files }, 'recordings were removed by somebody else')
  }
}

/** Whether recordings could not be reached, which says nothing about what is there. */
export function isAway(error: unknown): boolean {
  return isOutage(error) || (error instanceof AppError && error.code === 'recording_away')
}

function isServerTrouble(error: unknown): boolean {
  return error instanceof MediaMtxError || error instanceof AppError
}

/** What is known no longer needs to be looked at, unless it was still written then. */
function isSettled(known: Known, startUs: number): boolean {
  return known.starts.has(startUs) && !known.open.has(startUs)
}

/** Whether a folder is the one of our recordings. Changes nothing. */
export async function isMarked(folder: string): Promise<boolean> {
  return (await changeOf(join(folder, MARKER))) !== null
}

/** When a file was written, or something put into a folder or taken out of it; epoch milliseconds, null when it is not there. */
async function changeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).mtimeMs
  } catch (error) {
    if (isMissingFile(error)) return null
    throw error
  }
}

function isSame(before: SegmentFacts | undefined, now: SegmentFacts): boolean {
  if (!before) return false
  const { durationMs, sizeBytes, run, state, problem } = before
  return (
    durationMs === now.durationMs &&
    sizeBytes === now.sizeBytes &&
    run?.id === now.run?.id &&
    run?.number === now.run?.number &&
    state === now.state &&
    problem === now.problem
  )
}

/** Up to the next file or the end of what is played in one go, whichever comes first; null where nothing is played. */
function durationWithin(spans: readonly RecordedSpan[], startUs: number, nextUs: number | null): number | null {
  for (const span of spans) {
    const fromUs = usFromIso(span.start)
    const toUs = fromUs === null ? null : fromUs + span.durationS * US_PER_S
    if (fromUs === null || toUs === null || startUs < fromUs || startUs >= toUs) continue
    return Math.round((Math.min(toUs, nextUs ?? toUs) - startUs) / US_PER_MS)
  }
  return null
}
