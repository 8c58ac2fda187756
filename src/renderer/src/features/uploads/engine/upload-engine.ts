import { abortUpload } from '../../../../../shared/api/uploads.ts'
import type { ApiClient } from '../../../../../shared/api-client.ts'
import { createPatience, type Patience } from './patience.ts'
import { createPlaces } from './places.ts'
import { createSpeed } from './speed.ts'
import {
  type Digest,
  FileUnreadable,
  refusalCode,
  type SendPart,
  type Transfer,
  type TransferDeps,
  type TransferListener,
  transferFile
} from './transfer.ts'
import { busyStates, summarize, type UploadItem, type UploadState, type UploadsSnapshot } from './upload-item.ts'
import type { SavedUpload, UploadMemory } from './upload-memory.ts'

/** A file that a person gave. */
export interface PickedFile {
  file: File
  /** The folders it was found in; empty for a file of its own. */
  folder: string
  /** What `openSource` finds it by after the page was loaded again; null where the browser has no such thing. */
  source: unknown
}

export interface UploadEngineDeps {
  api: ApiClient
  sendPart: SendPart
  digest: Digest
  memory: UploadMemory
  /** Finds a file again, asking the person for leave if `mayAsk`; null when it cannot. */
  openSource: (source: unknown, options: { mayAsk: boolean }) => Promise<File | null>
  /** Pauses during an outage grow from the first of these to the second. */
  pausesMs?: [number, number]
}

/** An upload as the engine keeps it. */
interface Entry extends Transfer {
  readonly folder: string
  readonly sizeBytes: number
  readonly lastModifiedMs: number
  source: unknown
  file: Blob | null
  state: UploadState
  /** When an earlier page left it: whether it shall wait for a person. */
  readonly wasPaused: boolean
  checkedBytes: number
  /** Bytes of parts that are being sent. */
  inFlight: Map<number, number>
  problem: string | null
  assetId: string | null
  isDuplicate: boolean
  /** While it runs. */
  abort: AbortController | null
  /** Made from the rest when it is asked for; null after a change. */
  shown: UploadItem | null
}

/** Files at work at once: while one is sent, the next are checked. */
const filesAtOnce = 4
/** A browser makes six connections to one base: the event stream and the screens need some, too. */
const partsAtOnce = 3
const publishMs = 150
const tickMs = 1000
/** How long a cancelled upload can be taken back without being sent again. */
const forgetAfterMs = 15_000

/**
 * The uploads of this page: files go in, each is brought into the base, and a snapshot tells how far they are. Runs as long as the
 * page, whatever it shows.
 */
export class UploadEngine {
  readonly #deps: UploadEngineDeps
  readonly #transferDeps: TransferDeps
  readonly #patience: Patience
  readonly #entries = new Map<string, Entry>()
  readonly #speed = createSpeed()
  readonly #listeners = new Set<() => void>()
  #snapshot: UploadsSnapshot
  #timer: ReturnType<typeof setTimeout> | undefined
  #running = 0
  #added = 0

  constructor(deps: UploadEngineDeps) {
    const [shortestPauseMs, longestPauseMs] = deps.pausesMs ?? [1000, 10_000]
    this.#deps = deps
    this.#patience = createPatience({ shortestPauseMs, longestPauseMs, onChange: () => this.#publishSoon() })
    this.#transferDeps = {
      api: deps.api,
      sendPart: deps.sendPart,
      digest: deps.digest,
      patience: this.#patience,
      checking: createPlaces(1),
      sending: createPlaces(partsAtOnce)
    }
    this.#snapshot = this.#makeSnapshot()
  }

  /** How everything stands; another object after each change. */
  readonly get = (): UploadsSnapshot => this.#snapshot

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Takes up what an earlier page left unfinished. Files that the browser cannot find again stay `lost` until they are given. */
  async restore(): Promise<void> {
    for (const saved of await this.#deps.memory.load()) {
      if (saved.isCancelled) void this.#forget(saved.id, saved.session?.uploadId)
      else this.#entries.set(saved.id, entryFrom(saved))
    }
    this.#sort()
    this.#publish()
    await this.reopen({ mayAsk: false })
  }

  /** Adds files. One that continues a `lost` upload goes on there; one that is on its way already is left out. */
  add(files: readonly PickedFile[]): void {
    const unfinished = new Map<string, Entry[]>()
    for (const entry of this.#entries.values())
      if (entry.state !== 'done') unfinished.set(keyOf(entry), [...(unfinished.get(keyOf(entry)) ?? []), entry])
    for (const picked of files) {
      const { file, folder, source } = picked
      const twins = unfinished.get(keyOf({ name: file.name, sizeBytes: file.size, lastModifiedMs: file.lastModified }))
      const twin =
        twins?.find((other) => other.folder === folder) ??
        twins?.find(({ state, file: has }) => !has && state === 'lost')
      if (twins && twin) {
        twins.splice(twins.indexOf(twin), 1)
        if (twin.state === 'lost' || twin.state === 'failed') this.#give(twin, file, source)
      } else this.#insert(picked)
    }
    this.#publish()
    this.#schedule()
  }

  /** Whether the browser may find files of `lost` uploads again. */
  canReopen(): boolean {
    return [...this.#entries.values()].some(({ state, source }) => state === 'lost' && source !== null)
  }

  /** Looks for the files of `lost` uploads. */
  async reopen(options: { mayAsk: boolean }): Promise<void> {
    for (const entry of [...this.#entries.values()]) {
      if (entry.state !== 'lost' || entry.source === null) continue
      const file = await this.#deps.openSource(entry.source, options)
      // A card has other files under the same names.
      if (file && keyOf({ name: entry.name, sizeBytes: file.size, lastModifiedMs: file.lastModified }) === keyOf(entry))
        this.#give(entry, file, entry.source, !options.mayAsk && entry.wasPaused)
    }
    this.#publish()
    this.#schedule()
  }

  /** Holds uploads that are not finished. */
  pause(ids: Iterable<string>): void {
    for (const entry of this.#find(ids)) {
      if (!busyStates.has(entry.state)) continue
      this.#set(entry, { state: 'paused' })
      entry.abort?.abort()
      this.#save(entry)
    }
    this.#publish()
    this.#schedule()
  }

  /** Lets paused uploads go on and failed ones try again. */
  resume(ids: Iterable<string>): void {
    for (const entry of this.#find(ids)) {
      if (entry.state !== 'paused' && entry.state !== 'failed') continue
      this.#set(entry, { state: entry.file ? 'waiting' : 'lost', problem: null })
      this.#save(entry)
    }
    this.#publish()
    this.#schedule()
  }

  /** Takes uploads off the list. What was sent is kept a little while: the returned function takes it back. */
  cancel(ids: Iterable<string>): () => void {
    const entries = this.#find(ids).filter(({ state }) => state !== 'done')
    for (const entry of entries) {
      this.#entries.delete(entry.id)
      this.#save(entry, { isCancelled: true })
      entry.abort?.abort()
    }
    const timer = setTimeout(() => {
      for (const { id, session } of entries) void this.#forget(id, session?.uploadId)
    }, forgetAfterMs)
    this.#publish()
    this.#schedule()
    return () => {
      clearTimeout(timer)
      for (const entry of entries) {
        this.#entries.set(entry.id, entry)
        this.#set(entry, busyStates.has(entry.state) ? { state: 'waiting' } : {})
        this.#save(entry)
      }
      this.#sort()
      this.#publish()
      this.#schedule()
    }
  }

  /** Takes finished uploads off the list. */
  clearDone(): void {
    for (const { id, state } of [...this.#entries.values()]) if (state === 'done') this.#entries.delete(id)
    this.#publish()
  }

  /** Tries at once what waits for an outage to end. */
  hurry(): void {
    this.#patience.hurry()
  }

  #insert({ file, folder, source }: PickedFile): void {
    this.#added += 1
    const parts = [Date.now(), this.#added, Math.floor(Math.random() * 36 ** 6)]
    const entry = entryFrom({
      id: parts.map((part) => part.toString(36).padStart(9, '0')).join(''),
      name: file.name,
      folder,
      sizeBytes: file.size,
      lastModifiedMs: file.lastModified,
      source,
      sha256: null,
      session: null,
      isPaused: false,
      isCancelled: false
    })
    this.#entries.set(entry.id, entry)
    this.#set(entry, { file, state: 'waiting' })
    this.#save(entry)
  }

  #give(entry: Entry, file: File, source: unknown, isPaused = false): void {
    this.#set(entry, { file, source, problem: null, state: isPaused ? 'paused' : 'waiting' })
    this.#save(entry)
  }

  #schedule(): void {
    for (const entry of this.#entries.values()) {
      if (this.#running >= filesAtOnce) return
      if (entry.state === 'waiting' && entry.abort === null) void this.#run(entry)
    }
  }

  async #run(entry: Entry): Promise<void> {
    const { file, id } = entry
    if (!file) return
    this.#running += 1
    const abort = new AbortController()
    entry.abort = abort
    try {
      const listener = this.#listenerOf(entry, abort.signal)
      const result = await transferFile(entry, file, this.#transferDeps, listener, abort.signal)
      this.#set(entry, { ...result, state: 'done', file: null })
      this.#deps.memory.forget([id])
    } catch (error) {
      // Who aborted it has said what becomes of it.
      if (!abort.signal.aborted) this.#set(entry, { state: 'failed', problem: problemOf(error) })
    } finally {
      entry.inFlight.clear()
      entry.abort = null
      this.#running -= 1
      this.#publishSoon()
      this.#schedule()
    }
  }

  #listenerOf(entry: Entry, signal: AbortSignal): TransferListener {
    const change = (next: Partial<Entry>) => {
      if (!signal.aborted) this.#set(entry, next)
    }
    return {
      onStep: (state) => change({ state, checkedBytes: 0 }),
      onChecked: (checkedBytes) => change({ checkedBytes }),
      onPartSent: (number, sentBytes) => {
        const before = entry.inFlight.get(number) ?? 0
        if (sentBytes > before) this.#speed.add(sentBytes - before, performance.now())
        if (!signal.aborted) entry.inFlight.set(number, sentBytes)
        change({})
      },
      onLearnt: () => {
        change({})
        if (!signal.aborted) this.#save(entry)
      }
    }
  }

  async #forget(id: string, uploadId: string | undefined): Promise<void> {
    try {
      if (uploadId !== undefined) await this.#deps.api.call(abortUpload, { params: { uploadId } })
    } catch (error) {
      // The next page tries again; and the base gives it up by itself some day.
      if (refusalCode(error) !== 'upload_not_found') return
    }
    this.#deps.memory.forget([id])
  }

  #find(ids: Iterable<string>): Entry[] {
    return [...ids].map((id) => this.#entries.get(id)).filter((entry) => entry !== undefined)
  }

  #set(entry: Entry, change: Partial<Entry>): void {
    Object.assign(entry, change)
    entry.shown = null
    this.#publishSoon()
  }

  #save(entry: Entry, { isCancelled = false } = {}): void {
    const { id, name, folder, sizeBytes, lastModifiedMs, source, sha256, session, state } = entry
    this.#deps.memory.save({
      id,
      name,
      folder,
      sizeBytes,
      lastModifiedMs,
      source,
      sha256,
      session: session && {
        uploadId: session.uploadId,
        partSizeBytes: session.partSizeBytes,
        partCount: session.partCount,
        received: [...session.received]
      },
      isPaused: state === 'paused',
      isCancelled
    })
  }

  /** Back into the order of adding. */
  #sort(): void {
    const sorted = [...this.#entries.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
    this.#entries.clear()
    for (const entry of sorted) this.#entries.set(entry.id, entry)
  }

  #publishSoon(): void {
    this.#timer ??= setTimeout(() => this.#publish(), publishMs)
  }

  #publish(): void {
    clearTimeout(this.#timer)
    this.#snapshot = this.#makeSnapshot()
    // Without news the speed still changes.
    this.#timer = this.#running > 0 ? setTimeout(() => this.#publish(), tickMs) : undefined
    for (const listener of [...this.#listeners]) listener()
  }

  #makeSnapshot(): UploadsSnapshot {
    const items = [...this.#entries.values()].map((entry) => {
      entry.shown ??= itemFrom(entry)
      return entry.shown
    })
    const { leftBytes, ...summary } = summarize(items)
    const bytesPerSecond = this.#speed.at(performance.now())
    return {
      ...summary,
      bytesPerSecond,
      remainingMs: bytesPerSecond === null ? null : (leftBytes * 1000) / bytesPerSecond,
      hindrance: this.#patience.hindrance()
    }
  }
}

/** What makes two files the same when one cannot look into them. */
function keyOf({ name, sizeBytes, lastModifiedMs }: Pick<Entry, 'name' | 'sizeBytes' | 'lastModifiedMs'>): string {
  return `${sizeBytes} ${lastModifiedMs} ${name}`
}

function problemOf(error: unknown): string {
  if (error instanceof FileUnreadable) return 'file_unreadable'
  return refusalCode(error) ?? 'internal_error'
}

function entryFrom({ isPaused, isCancelled: _, session, ...saved }: SavedUpload): Entry {
  return {
    ...saved,
    file: null,
    state: 'lost',
    wasPaused: isPaused,
    checkedBytes: 0,
    inFlight: new Map(),
    problem: null,
    session: session && { ...session, received: new Set(session.received), isCurrent: false },
    assetId: null,
    isDuplicate: false,
    abort: null,
    shown: null
  }
}

function itemFrom(entry: Entry): UploadItem {
  const { id, name, folder, sizeBytes, state, checkedBytes, problem, assetId, isDuplicate, session, inFlight } = entry
  let sentBytes = 0
  if (session) {
    const sizeOf = (number: number) => Math.min(session.partSizeBytes, sizeBytes - (number - 1) * session.partSizeBytes)
    for (const number of session.received) sentBytes += sizeOf(number)
    for (const [number, bytes] of inFlight)
      if (!session.received.has(number)) sentBytes += Math.min(bytes, sizeOf(number))
  }
  return { id, name, folder, sizeBytes, state, checkedBytes, sentBytes, problem, assetId, isDuplicate }
}
