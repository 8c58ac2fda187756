import type { RecordStatus } from '../../../shared/api/recordings.ts'
import type { RuntimePath } from '../../mediamtx/client.ts'
import { isOutage } from '../../mediamtx/is-outage.ts'
import { canBeRecorded } from '../live/stream-status.ts'
import { isoFromUs } from './instants.ts'
import type { RecordedSource, RecordingPlaces, RecordingSources } from './recorded-sources.ts'
import type { RecordingGrowth } from './recording-growth.ts'
import { isAway, type RecordingIndex } from './recording-index.ts'
import type { RecordingRoom } from './recording-room.ts'
import type { RecordingServer } from './recording-server.ts'
import type { SegmentsRepository } from './segments.repository.ts'

export interface RecordControlDeps {
  sources: RecordingSources
  places: RecordingPlaces
  segments: SegmentsRepository
  index: RecordingIndex
  growth: RecordingGrowth
  server: RecordingServer
  room: RecordingRoom
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
    const { places, segments, index, server } = this.#deps
    const source = places.source(sourceId)
    if (!source.recordEnabled) await index.scan([places.get(sourceId)])
    const actual: Actual = source.recordEnabled ? await this.#actual(source) : { active: false, problem: null }
    const last = segments.findLast(sourceId)
    return {
      desired: source.recordEnabled,
      ...actual,
      last_segment_start: last ? isoFromUs(last.startUs) : null,
      last_error: server.lastErrorOf(source.pathName)
    }
  }

  /** What lies on the disk, and where that does not grow, why. */
  async #actual(source: RecordedSource): Promise<Actual> {
    const { places, index, growth, room, server } = this.#deps
    if (!(await index.isRootThere())) return { active: false, problem: 'disk_away' }
    let path: RuntimePath | null
    try {
      path = await server.client().getPath(source.pathName)
      await index.look(places.get(source.id))
    } catch (error) {
      if (isOutage(error)) return { active: false, problem: 'server_unavailable' }
      // A disk that fails is as good as away; who follows the recordings writes down why.
      if (isAway(error) || isOfDisk(error)) return { active: false, problem: 'disk_away' }
      throw error
    }
    if (!path?.available) return { active: false, problem: 'nobody_sends' }
    const { availableTime } = path
    if (growth.isGrowing(source.id, availableTime)) return { active: true, problem: null }
    if (!canBeRecorded(path.tracks)) return { active: false, problem: 'no_usable_track' }
    if (room.problem !== null) return { active: false, problem: room.problem }
    const sinceMs = availableTime === null ? Number.NaN : Date.parse(availableTime)
    const mayBegin = growth.isBeginning(source.id, source.updatedAtMs, sinceMs)
    return { active: false, problem: mayBegin ? null : 'not_written' }
  }
}

function isOfDisk(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error
}
