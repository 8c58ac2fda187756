import type { Feature } from '../../feature.ts'
import { ClipCutter } from './clip-cutter.ts'
import { ClipsRepository } from './clips.repository.ts'
import { ClipsService, type ClipsServiceDeps } from './clips.service.ts'
import { Playback } from './playback.service.ts'
import { RecordControl } from './record-control.ts'
import { RecordingPlaces, type RecordingSources } from './recorded-sources.ts'
import { RecordingIndex, type RecordingIndexDeps } from './recording-index.ts'
import { RecordingWatch } from './recording-watch.ts'
import { bindRecordings, type RecordingsRouteDeps } from './recordings.routes.ts'
import { RecordingsService } from './recordings.service.ts'
import { Retention, type RetentionDeps } from './retention.ts'
import { SegmentJobs } from './segment-jobs.ts'
import { SegmentsRepository } from './segments.repository.ts'

export interface RecordingsDeps
  extends Omit<RecordingIndexDeps, 'segments'>,
    Pick<RetentionDeps, 'audit' | 'config'>,
    Pick<ClipsServiceDeps, 'outbox' | 'ffmpegPath' | 'scratchDir' | 'storeOwn' | 'note' | 'pictureOf'>,
    Pick<RecordingsRouteDeps, 'tokens' | 'authenticate' | 'sourceOfAsset' | 'publicUrl'> {
  sources: RecordingSources
}

export interface RecordingsFeature extends Feature {
  /** See `Retention`. */
  isDiskFull: Retention['isDiskFull']
  /** See `RecordingIndex.isRootThere`. */
  isDiskThere(): Promise<boolean>
  /** See `RecordingWatch`. */
  onDeleting: RecordingWatch['onDeleting']
  onDeleted: RecordingWatch['onDeleted']
}

/** What is recorded of streams: the media server writes the files, and all else is decided here. */
export function createRecordings(deps: RecordingsDeps): RecordingsFeature {
  const { db, config, sources } = deps
  const segments = new SegmentsRepository(db)
  const clipRows = new ClipsRepository(db)
  const places = new RecordingPlaces({ sources, segments })
  const index = new RecordingIndex({ ...deps, segments })
  const retention = new Retention({ ...deps, segments, index })
  const common = { ...deps, segments, places, index, retention }
  const service = new RecordingsService({ ...common, maxGapMs: config.maxGapMs })
  const control = new RecordControl(common)
  const playback = new Playback(common)
  const cutter = new ClipCutter({ ...common, playback })
  const clips = new ClipsService({ ...common, clips: clipRows, playback, cutter })
  const work = new SegmentJobs(common)
  const watch = new RecordingWatch(common)
  return {
    bind: (binder) => bindRecordings(binder, { ...common, service, control, playback, clips }),
    jobs: [...work.bindJobs(), clips.bindJob(), watch.bindJob()],
    upkeep: [
      { name: 'clips nobody cuts', run: () => clips.giveUpAbandoned() },
      { name: 'recordings that are too old or too much', run: (signal) => retention.run(signal) }
    ],
    isDiskFull: () => retention.isDiskFull(),
    isDiskThere: () => index.isRootThere(),
    start: () => watch.start(),
    stop: () => watch.stop(),
    onDeleting: (source, recordings) => watch.onDeleting(source, recordings),
    onDeleted: (source, recordings) => watch.onDeleted(source, recordings)
  }
}
