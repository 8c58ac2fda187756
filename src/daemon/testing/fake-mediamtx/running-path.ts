import type { FakeClock } from './fake-clock.ts'
import { formatInstant } from './go-values.ts'
import { concernsRecording, type PathConf, pullerType } from './path-conf.ts'
import { type Peer, pictureAndSound, type Track } from './peers.ts'
import { Recorder } from './recorder.ts'
import { Refusal } from './refusal.ts'

export interface RunningPathOptions {
  name: string
  conf: PathConf
  clock: FakeClock
  log(level: 'INF' | 'ERR', message: string): void
  onUnavailable(): void
}

/** One path while the server runs: who sends to it, who reads it, and whether it is recorded. */
export class RunningPath {
  readonly name: string
  conf: PathConf
  publisher: Peer | null = null
  tracks: Track[] = []
  availableSinceUs: number | null = null
  #options: RunningPathOptions
  #readers = new Map<string, Peer>()
  #recorder: Recorder | null = null
  #doesCameraAnswer = false
  /** Of a pulling path: when its camera answered last. */
  #connectedUs: number | null = null

  constructor(options: RunningPathOptions) {
    this.#options = options
    this.name = options.name
    this.conf = options.conf
  }

  /** What the server shows as source: a puller is there whether or not its camera answers. */
  get source(): { type: string; id: string } | null {
    if (this.publisher) return { type: this.publisher.type, id: this.publisher.id }
    const type = this.conf.source === 'redirect' ? 'redirect' : pullerType(this.conf)
    return type === null ? null : { type, id: '' }
  }

  /** When the source came; of a puller that never had a connection it is Go's zero time. */
  onlineTime(): string {
    const sinceUs = this.publisher?.createdUs ?? this.#connectedUs
    return sinceUs === null ? '0001-01-01T00:00:00Z' : formatInstant(sinceUs)
  }

  /** About one megabit a second since the stream began. */
  inboundBytes(): number {
    if (this.availableSinceUs === null) return 0
    return Math.floor((this.#options.clock.nowUs() - this.availableSinceUs) / 8)
  }

  readers(): Peer[] {
    return [...this.#readers.values()].sort((one, other) =>
      `${one.type} ${one.id}` < `${other.type} ${other.id}` ? -1 : 1
    )
  }

  peers(): { peer: Peer; state: 'publish' | 'read' }[] {
    const readers = [...this.#readers.values()].map((peer) => ({ peer, state: 'read' as const }))
    return this.publisher ? [{ peer: this.publisher, state: 'publish' }, ...readers] : readers
  }

  setPublisher(peer: Peer, tracks: Track[]): void {
    this.publisher = peer
    this.#becomeAvailable(tracks)
    this.#options.log('INF', `[path ${this.name}] is publishing to path '${this.name}'`)
  }

  dropPublisher(): void {
    if (!this.publisher) return
    this.publisher = null
    this.#becomeUnavailable()
  }

  /** The camera of a pulling path answers, or does not any more. */
  setCamera(answers: boolean): void {
    this.#doesCameraAnswer = answers
    this.#pullIfWanted()
  }

  /** Lets somebody read. Throws the server's `Error` where there is nothing to read or it is full. */
  addReader(peer: Peer): void {
    const isPulledForReaders = pullerType(this.conf) !== null && this.conf.sourceOnDemand === true
    if (isPulledForReaders && !this.#doesCameraAnswer) throw new Error(`source of path '${this.name}' has timed out`)
    if (this.availableSinceUs === null && !isPulledForReaders) throw new NothingToRead(this.name)
    const limit = Number(this.conf.maxReaders)
    if (limit !== 0 && this.#readers.size >= limit) throw new Error('maximum reader count reached')
    this.#readers.set(peer.id, peer)
    this.#pullIfWanted()
  }

  removeReader(id: string): void {
    this.#readers.delete(id)
    this.#pullIfWanted()
  }

  /** Takes a configuration that leaves publisher and readers alone. */
  reload(conf: PathConf): void {
    const before = this.conf
    this.conf = conf
    if (concernsRecording(before, conf)) this.#stopRecording()
    this.#recordIfWanted()
  }

  tick(): void {
    this.#recorder?.tick()
  }

  close(): void {
    this.publisher = null
    this.#becomeUnavailable()
  }

  #pullIfWanted(): void {
    if (pullerType(this.conf) === null) return
    const isWanted = this.#doesCameraAnswer && (!this.conf.sourceOnDemand || this.#readers.size > 0)
    if (isWanted && this.availableSinceUs === null) this.#becomeAvailable(pictureAndSound)
    if (!isWanted && this.availableSinceUs !== null) this.#becomeUnavailable()
  }

  #becomeAvailable(tracks: Track[]): void {
    this.tracks = tracks
    this.availableSinceUs = this.#options.clock.nowUs()
    this.#connectedUs = this.availableSinceUs
    const codecs = tracks.map((track) => track.codec).join(', ')
    this.#log(`stream is available and online, ${tracks.length} tracks (${codecs})`)
    this.#recordIfWanted()
  }

  #becomeUnavailable(): void {
    if (this.availableSinceUs === null) return
    this.#stopRecording()
    this.tracks = []
    this.availableSinceUs = null
    this.#readers.clear()
    this.#options.onUnavailable()
  }

  #recordIfWanted(): void {
    if (!this.conf.record || this.availableSinceUs === null || this.#recorder) return
    if (!this.tracks.some(({ codec }) => recordedCodecs.test(codec))) {
      this.#log('[recorder] no supported tracks found, skipping recording')
      return
    }
    this.#recorder = new Recorder(this.name, this.conf, this.#options.clock)
    this.#log(`[recorder] recording ${this.tracks.length} tracks`)
  }

  #stopRecording(): void {
    if (!this.#recorder) return
    this.#recorder.stop()
    this.#recorder = null
    this.#log('[recorder] recording stopped')
  }

  #log(message: string): void {
    this.#options.log('INF', `[path ${this.name}] ${message}`)
  }
}

/** What goes into fragmented MP4; other tracks are left out. */
const recordedCodecs =
  /^(AV1|VP9|H26[45]|MPEG-4 Video|MPEG-1\/2 Video|M-JPEG|Opus|MPEG-4 Audio|MPEG-4 Audio LATM|MPEG-1\/2 Audio|AC3|G711|LPCM)$/

/** Nobody sends to the path. */
export class NothingToRead extends Refusal {
  constructor(path: string) {
    super(404, `no stream is available on path '${path}'`)
  }
}
