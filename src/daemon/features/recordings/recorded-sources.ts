import { AppError } from '../../errors.ts'
import type { RemovedSource, RemovedSourcesRepository } from './removed-sources.repository.ts'
import type { SegmentsRepository } from './segments.repository.ts'

/** A stream, as far as recordings need it. */
export interface RecordedSource {
  id: string
  workspaceId: string
  name: string
  pathName: string
  enabled: boolean
  recordEnabled: boolean
  /** When somebody last changed something of it. */
  updatedAtMs: number
}

/** The streams there are. */
export interface RecordingSources {
  find(sourceId: string): RecordedSource | undefined
  /** Has the media server record or not, and notes that. Throws `source_not_found`, `source_disabled`, and as that server does. */
  setRecording(sourceId: string, on: boolean): Promise<unknown>
  /** Those that shall be recorded now. */
  listRecorded(): RecordedSource[]
}

/** Where recordings are: of a stream, or of one that was removed and whose recordings were kept. */
export interface RecordingPlace {
  sourceId: string
  workspaceId: string
  pathName: string
  name: string
  /** It shall be. */
  isRecorded: boolean
  /** The stream is gone. */
  isRemoved: boolean
}

/** Finds where the recordings of a stream are, also once that is gone. */
export class RecordingPlaces {
  readonly #sources: RecordingSources
  readonly #removed: RemovedSourcesRepository
  readonly #segments: SegmentsRepository

  constructor(deps: { sources: RecordingSources; removed: RemovedSourcesRepository; segments: SegmentsRepository }) {
    this.#sources = deps.sources
    this.#removed = deps.removed
    this.#segments = deps.segments
  }

  /** Throws `source_not_found`. */
  get(sourceId: string): RecordingPlace {
    const place = this.find(sourceId)
    if (!place) throw new AppError('source_not_found', { sourceId })
    return place
  }

  /** Throws `source_not_found` also for a stream of which only recordings are left. */
  source(sourceId: string): RecordedSource {
    const source = this.#sources.find(sourceId)
    if (!source) throw new AppError('source_not_found', { sourceId })
    return source
  }

  /** Those where something may be written now. */
  listBusy(): RecordingPlace[] {
    const open = this.#segments.listOpenSourceIds().flatMap((sourceId) => this.find(sourceId) ?? [])
    return distinct([...open, ...this.#sources.listRecorded().map(placeOf)])
  }

  /** Those that have recordings. */
  listWithRecordings(): RecordingPlace[] {
    return this.#segments.listSourceIds().flatMap((sourceId) => this.find(sourceId) ?? [])
  }

  /** Those, and those that shall have some, or may be found to have some again. */
  listAll(): RecordingPlace[] {
    return distinct([...this.listWithRecordings(), ...this.#removed.list().map(placeOfRemoved), ...this.listBusy()])
  }

  find(sourceId: string): RecordingPlace | undefined {
    const source = this.#sources.find(sourceId)
    if (source) return placeOf(source)
    const removed = this.#removed.find(sourceId)
    return removed && placeOfRemoved(removed)
  }
}

function distinct(places: readonly RecordingPlace[]): RecordingPlace[] {
  return [...new Map(places.map((place) => [place.sourceId, place])).values()]
}

function placeOf({ id, recordEnabled, enabled, ...source }: RecordedSource): RecordingPlace {
  const { workspaceId, pathName, name } = source
  return { sourceId: id, workspaceId, pathName, name, isRecorded: recordEnabled && enabled, isRemoved: false }
}

/** What was recorded of a stream that is gone. */
export function placeOfRemoved({ id, workspaceId, pathName, name }: RemovedSource): RecordingPlace {
  return { sourceId: id, workspaceId, pathName, name, isRecorded: false, isRemoved: true }
}
