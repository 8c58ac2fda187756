import type { Feature } from '../../feature.ts'
import { ClipCutter } from './clip-cutter.ts'
import { ClipsRepository } from './clips.repository.ts'
import { ClipsService, type ClipsServiceDeps } from './clips.service.ts'
import { Playback } from './playback.service.ts'
import { RecordControl } from './record-control.ts'
import { RecordingPlaces, type RecordingSources } from './recorded-sources.ts'
import { RecordingGrowth } from './recording-growth.ts'
import { RecordingIndex, type RecordingIndexDeps } from './recording-index.ts'
import { RecordingRoom, type RecordingRoomDeps } from './recording-room.ts'
import { RecordingWatch } from './recording-watch.ts'
import { bindRecordings, type RecordingsRouteDeps } from './recordings.routes.ts'
import { RecordingsService } from './recordings.service.ts'
import { RemovedSourcesRepository } from './removed-sources.repository.ts'
import { Retention, type RetentionDeps } from './retention.ts'
import { SegmentJobs } from './segment-jobs.ts'
import { SegmentsRepository } from './segments.repository.ts'
import { SourceRemoval } from './source-removal.ts'

export interface RecordingsDeps
  extends Omit<RecordingIndexDeps, 'segments' | 'growth'>,
    Pick<RecordingRoomDeps, 'outbox' | 'applyRecording'>,
    Pick<RetentionDeps, 'audit' | 'config'>,
    Pick<ClipsServiceDeps, 'ffmpegPath' | 'scratchDir' | 'storeOwn' | 'note' | 'pictureOf'>,
    Pick<RecordingsRouteDeps, 'tokens' | 'authenticate' | 'sourceOfAsset' | 'publicUrl'> {
  sources: RecordingSources
}

export interface RecordingsFeature extends Feature {
  /** See `RecordingGrowth.isGrowing`. */
  isRecorded: RecordingGrowth['isGrowing']
  /** Whether recordings have a place now: their disk is there, with room on it. */
  mayRecord(): boolean
  /** See `RecordingIndex.isDiskThere`. */
  isDiskThere(): Promise<boolean>
  /** See `SourceRemoval`. */
  onDeleting: SourceRemoval['onDeleting']
  onDeleted: SourceRemoval['onDeleted']
}

/** What is recorded of streams: the media server writes the files, and all else is decided here. */
export function createRecordings(deps: RecordingsDeps): RecordingsFeature {
  const { db, config, sources } = deps
  const segments = new SegmentsRepository(db)
  const clipRows = new ClipsRepository(db)
  const removed = new RemovedSourcesRepository(db)
  const places = new RecordingPlaces({ sources, removed, segments })
  const growth = new RecordingGrowth(deps)
  const index = new RecordingIndex({ ...deps, segments, growth })
  const room = new RecordingRoom({ ...deps, index })
  const retention = new Retention({ ...deps, segments, removed, index, room })
  const common = { ...deps, segments, removed, places, growth, index, room, retention }
  const service = new RecordingsService({ ...common, maxGapMs: config.maxGapMs })
  const control = new RecordControl(common)
  const playback = new Playback(common)
  const cutter = new ClipCutter({ ...common, playback })
  const clips = new ClipsService({ ...common, clips: clipRows, playback, cutter })
  const work = new SegmentJobs(common)
  const removal = new SourceRemoval(common)
  const watch = new RecordingWatch(common)
  return {
    bind: (binder) => bindRecordings(binder, { ...common, service, control, playback, clips }),
    jobs: [...work.bindJobs(), clips.bindJob(), removal.bindJob()],
    upkeep: [{ name: 'clips nobody cuts', run: () => clips.giveUpAbandoned() }],
    isDiskThere: () => index.isDiskThere(),
    start: () => watch.start(),
    stop: () => watch.stop(),
    isRecorded: (sourceId, availableTime) => growth.isGrowing(sourceId, availableTime),
    mayRecord: () => room.problem === null,
    onDeleting: (source) => removal.onDeleting(source),
    onDeleted: (source, recordings) => removal.onDeleted(source, recordings)
  }
}
