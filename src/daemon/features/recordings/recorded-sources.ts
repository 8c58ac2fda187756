import { AppError } from '../../errors.ts'
import type { SegmentsRepository } from './segments.repository.ts'

/** A stream, as far as recordings need it. */
export interface RecordedSource {
  id: string
  workspaceId: string
  name: string
  pathName: string
  enabled: boolean
  recordEnabled: boolean
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
  /** The path's, where the stream is gone. */
  name: string
  isRecorded: boolean
}

/** Finds where the recordings of a stream are, also once that is gone. */
export class RecordingPlaces {
  readonly #sources: RecordingSources
  readonly #segments: SegmentsRepository

  constructor(deps: { sources: RecordingSources; segments: SegmentsRepository }) {
    this.#sources = deps.sources
    this.#segments = deps.segments
  }

  /** Throws `source_not_found`. */
  get(sourceId: string): RecordingPlace {
    const source = this.#sources.find(sourceId)
    if (source) return placeOf(source)
    const last = this.#segments.findLast(sourceId)
    if (!last) throw new AppError('source_not_found', { sourceId })
    return { sourceId, workspaceId: last.workspaceId, pathName: last.pathName, name: last.pathName, isRecorded: false }
  }

  /** Throws `source_not_found` also for a stream of which only recordings are left. */
  source(sourceId: string): RecordedSource {
    const source = this.#sources.find(sourceId)
    if (!source) throw new AppError('source_not_found', { sourceId })
    return source
  }

  /** Those where something may be written now. */
  listBusy(): RecordingPlace[] {
    const recorded = this.#sources.listRecorded().map(placeOf)
    const open = this.#segments.listOpen().map(({ sourceId }) => this.get(sourceId))
    return [...new Map([...open, ...recorded].map((place) => [place.sourceId, place])).values()]
  }

  /** All that have recordings, and those that shall have some. */
  listAll(): RecordingPlace[] {
    const kept = this.#segments.listSourceIds().map((sourceId) => this.get(sourceId))
    return [...new Map([...kept, ...this.listBusy()].map((place) => [place.sourceId, place])).values()]
  }
}

function placeOf({ id, workspaceId, pathName, name, recordEnabled, enabled }: RecordedSource): RecordingPlace {
  return { sourceId: id, workspaceId, pathName, name, isRecorded: recordEnabled && enabled }
}
