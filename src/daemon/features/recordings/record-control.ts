import type { RecordStatus } from '../../../shared/api/recordings.ts'
import { AppError } from '../../errors.ts'
import type { RuntimePath } from '../../mediamtx/client.ts'
import { MediaMtxError } from '../../mediamtx/errors.ts'
import { canBeRecorded } from '../live/stream-status.ts'
import { isoFromUs } from './instants.ts'
import type { RecordingPlaces, RecordingSources } from './recorded-sources.ts'
import type { RecordingIndex } from './recording-index.ts'
import type { RecordingServer } from './recording-server.ts'
import type { Retention } from './retention.ts'
import type { SegmentsRepository } from './segments.repository.ts'

export interface RecordControlDeps {
  sources: RecordingSources
  places: RecordingPlaces
  segments: SegmentsRepository
  index: RecordingIndex
  server: RecordingServer
  retention: Retention
}

type Actual = Pick<RecordStatus, 'active' | 'problem'>

/** Has streams recorded, and tells whether they are: the two are not the same. */
export class RecordControl {
  readonly #deps: RecordControlDeps

  constructor(deps: RecordControlDeps) {
    this.#deps = deps
  }

  /** Throws `source_not_found`, `source_disabled`, and as the media server does; then nothing is changed. */
  async set(sourceId: string, on: boolean): Promise<RecordStatus> {
    const { places, sources } = this.#deps
    places.source(sourceId)
    await sources.setRecording(sourceId, on)
    return this.status(sourceId)
  }

  /** Throws `source_not_found`. */
  async status(sourceId: string): Promise<RecordStatus> {
    const { places, segments, index } = this.#deps
    const { recordEnabled: desired, pathName } = places.source(sourceId)
    await index.scan([places.get(sourceId)])
    const last = segments.findLast(sourceId)
    const actual: Actual = desired ? await this.#actual(pathName) : { active: false, problem: null }
    return { desired, ...actual, last_segment_start: last ? isoFromUs(last.startUs) : null }
  }

  async #actual(pathName: string): Promise<Actual> {
    let path: RuntimePath | null
    try {
      path = await this.#deps.server.client().getPath(pathName)
    } catch (error) {
      if (!(error instanceof MediaMtxError || error instanceof AppError)) throw error
      return { active: false, problem: 'server_unavailable' }
    }
    if (!path?.available) return { active: false, problem: 'nobody_sends' }
    if (!canBeRecorded(path.tracks)) return { active: false, problem: 'no_usable_track' }
    if (await this.#deps.retention.isDiskFull()) return { active: false, problem: 'disk_full' }
    return { active: true, problem: null }
  }
}
