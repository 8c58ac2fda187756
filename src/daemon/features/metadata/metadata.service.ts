import type { Logger } from 'pino'
import type { MediaProblem } from '../../../shared/api/assets.ts'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import type { Outbox } from '../../events/outbox.ts'
import { type BoundJob, bindJob } from '../../jobs/define-job.ts'
import type { JobQueue } from '../../jobs/job-queue.ts'
import { whenStoreAnswers } from '../../jobs/when-store-answers.ts'
import type { ByteSource } from '../../media/byte-source.ts'
import { type CaptureTime, formatOffset } from '../../media/capture-time.ts'
import { judgeContent } from '../../media/judge-content.ts'
import { MediaError } from '../../media/media-error.ts'
import { type ProbeOptions, probeVideo } from '../../media/probe-video.ts'
import { readPhotoMetadata } from '../../media/read-photo-metadata.ts'
import { SNIFF_BYTES, sniffMedia } from '../../media/sniff-media.ts'
import { withObjectSource } from '../../object-store/object-source.ts'
import { type ObjectStore, ObjectStoreError } from '../../object-store/object-store.ts'
import { withLocalFile } from '../../object-store/with-local-file.ts'
import { chooseMoment } from './choose-moment.ts'
import { readMetadataJob } from './metadata.jobs.ts'
import {
  type CaptureFacts,
  captureFactsSchema,
  type FoundMetadata,
  type MetadataRepository,
  type MetadataSource
} from './metadata.repository.ts'

export interface MetadataServiceDeps {
  db: Database
  store: ObjectStore
  repository: MetadataRepository
  queue: JobQueue
  outbox: Outbox
  clock: Clock
  log: Logger
  /** The id of the drone with this serial number, made when it is new; called inside a transaction. */
  noteDrone: (drone: { serial: string; model: string | null }) => string
  /** What the file of an asset is is known now; called inside the transaction that writes it down. */
  onRead: (assetId: string) => void
  /** Where copies of objects from an external store may lie for a while. */
  scratchDir: string
  /** The ffmpeg to use at this moment, null when there is none. */
  ffmpegPath: () => string | null
}

/** A file can say anything; what does not look like a serial number makes no drone. */
const SERIAL = /^(?=.*[1-9])[0-9A-Za-z-]{6,64}$/

/** Reads assets' files, in a job, for what they say about themselves. */
export class MetadataService {
  readonly #deps: MetadataServiceDeps

  constructor(deps: MetadataServiceDeps) {
    this.#deps = deps
  }

  /** Queues the reading of an asset's file, in the current transaction if there is one. */
  enqueue(assetId: string): void {
    this.#deps.queue.enqueue(readMetadataJob, { assetId })
  }

  bindJob(): BoundJob {
    return bindJob(readMetadataJob, ({ assetId }, { signal, log }) =>
      whenStoreAnswers(() => this.#read(assetId, signal, log))
    )
  }

  async #read(assetId: string, signal: AbortSignal, log: Logger): Promise<void> {
    const { db, repository, outbox, clock, store } = this.#deps
    const source = repository.findSource(assetId)
    if (!source) return
    let file: FileFacts
    try {
      file = await withObjectSource(store, source, (bytes) => this.#look(bytes, source, signal, log))
    } catch (error) {
      if (!(error instanceof ObjectStoreError && ['NotFound', 'PreconditionFailed'].includes(error.code))) throw error
      // Lost bytes are found out and told by whoever looks after the store. Bytes that were moved are read where they are.
      if (isMoved(source, repository.findSource(assetId))) this.enqueue(assetId)
      return
    }
    db.transaction(() => {
      // What a controller reported while the file was read counts, too.
      const now = repository.findSource(assetId)
      if (!now) return
      const found = merge(now, file)
      const deviceId = now.deviceId ?? this.#droneOf(found.capture)
      repository.update(assetId, { ...found, deviceId }, clock.nowMs())
      this.#deps.onRead(assetId)
      if (file.damage) outbox.append('asset.damaged', assetId, { damage: file.damage })
      else outbox.append('asset.updated', assetId)
    })
  }

  /** What a controller reported is better; many photos come without a report or with one that names no drone. */
  #droneOf({ droneSerial, droneModel = null }: CaptureFacts): string | null {
    if (!droneSerial || !SERIAL.test(droneSerial)) return null
    return this.#deps.noteDrone({ serial: droneSerial, model: droneModel })
  }

  async #look(bytes: ByteSource, source: MetadataSource, signal: AbortSignal, log: Logger): Promise<FileFacts> {
    const { store, scratchDir, ffmpegPath } = this.#deps
    const { type, isWrong } = judgeContent(source, sniffMedia(await bytes.read(0, SNIFF_BYTES)))
    const facts = { ...nothing, ...type }
    if (isWrong) return { ...facts, damage: 'unreadable' }
    if (type.kind === 'image') return { ...facts, ...(await photoFacts(bytes, log)) }
    if (type.kind !== 'video') return facts
    const withFile: ProbeOptions['withFile'] = (work) => withLocalFile(store, source, { scratchDir, signal }, work)
    return { ...facts, ...(await videoFacts(bytes, { ffmpegPath: ffmpegPath(), withFile, signal })) }
  }
}

function isMoved(source: MetadataSource, now: MetadataSource | undefined): boolean {
  return now !== undefined && (now.key !== source.key || now.etag !== source.etag)
}

type FileFacts = Omit<FoundMetadata, 'moment' | 'deviceId'> & {
  photoTime: CaptureTime | null
  videoCreatedAtMs: number | null
}

const nothing = {
  photoTime: null,
  videoCreatedAtMs: null,
  widthPx: null,
  heightPx: null,
  durationMs: null,
  capture: {},
  damage: null
}

async function photoFacts(bytes: ByteSource, log: Logger): Promise<Partial<FileFacts>> {
  const { metadata, problems } = await readPhotoMetadata(bytes)
  if (problems.length > 0) log.info({ problems }, 'a photo tells less than it should')
  const { captureTime, widthPx, heightPx } = metadata
  return { photoTime: captureTime, widthPx, heightPx, capture: captureFactsSchema.parse(metadata) }
}

async function videoFacts(bytes: ByteSource, options: ProbeOptions): Promise<Partial<FileFacts>> {
  try {
    const video = await probeVideo(bytes, options)
    const { widthPx, heightPx, durationMs, videoCodec, frameRate, createdAtMs, isTruncated } = video
    const damage: MediaProblem | null = isTruncated ? 'truncated' : null
    return { widthPx, heightPx, durationMs, videoCreatedAtMs: createdAtMs, damage, capture: { videoCodec, frameRate } }
  } catch (error) {
    if (!(error instanceof MediaError)) throw error
    // Without ffmpeg some containers stay unread; the missing preview says so.
    return error.problem === 'ffmpeg_missing' ? {} : { damage: error.problem }
  }
}

/** What the file says, over what was known before. */
function merge(
  known: MetadataSource,
  { photoTime, videoCreatedAtMs, ...facts }: FileFacts
): Omit<FoundMetadata, 'deviceId'> {
  const moment = chooseMoment(known.moment, { photo: photoTime, videoCreatedAtMs })
  const told = Object.fromEntries(Object.entries(facts.capture).filter(([, value]) => value !== null))
  const capture: CaptureFacts = {
    ...known.capture,
    ...told,
    zoneOffset: moment.zoneOffsetMin === null ? null : formatOffset(moment.zoneOffsetMin)
  }
  return { ...facts, moment, capture }
}
