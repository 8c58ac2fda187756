import { type Configuration, findPathConf, pathConf, sortedNames } from './configuration.ts'
import type { FakeClock } from './fake-clock.ts'
import type { Json } from './fields.ts'
import { formatInstant } from './go-values.ts'
import { effectOfChange, isPattern, type PathConf, pullerType } from './path-conf.ts'
import type { Peer, Track } from './peers.ts'
import { NothingToRead, RunningPath } from './running-path.ts'

export interface StreamsOptions {
  clock: FakeClock
  configuration(): Configuration
  log(level: 'INF' | 'ERR', message: string): void
  /** A stream ended: whoever reads it from a copy is dropped too. */
  onUnavailable(path: string): void
}

/** The paths of a running server and who is on them. */
export class Streams {
  #options: StreamsOptions
  #paths = new Map<string, RunningPath>()
  /** Cameras that answer when their path pulls; they outlive the server. */
  #cameras = new Set<string>()
  /** The one loop that owns all paths: what it does, it does alone. */
  #loop: Promise<unknown> = Promise.resolve()

  constructor(options: StreamsOptions) {
    this.#options = options
  }

  /** Runs something once the loop is free; nobody else is served meanwhile. */
  inLoop<Result>(work: () => Promise<Result> | Result): Promise<Result> {
    const result = this.#loop.then(work)
    this.#loop = result.catch(() => undefined)
    return result
  }

  /** Brings the paths in line with the configuration in force. */
  applyConfiguration(): void {
    const configuration = this.#options.configuration()
    for (const path of this.#paths.values()) {
      const conf = confOrNull(configuration, path.name)
      const effect = conf === null ? 'recreate' : effectOfChange(path.conf, conf)
      if (conf && effect === 'hot') path.reload(conf)
      if (effect === 'recreate') this.#remove(path)
    }
    for (const name of sortedNames(configuration.paths)) {
      if (!isPattern(name) && !this.#paths.has(name)) this.#create(name, pathConf(configuration, name)!)
    }
  }

  /** Ends all that runs, as a server that stops does. */
  clear(): void {
    for (const path of [...this.#paths.values()]) this.#remove(path)
  }

  get(name: string): RunningPath | undefined {
    return this.#paths.get(name)
  }

  names(): string[] {
    return sortedNames(this.#paths)
  }

  /** All who are on a path with one of these names for them, with what they do there; the oldest first. */
  peers(types: string[]): { peer: Peer; path: RunningPath; state: 'publish' | 'read' }[] {
    const all = [...this.#paths.values()].flatMap((path) => path.peers().map((found) => ({ ...found, path })))
    const found = all.filter(({ peer }) => types.includes(peer.type))
    return found.sort((one, other) => one.peer.createdUs - other.peer.createdUs)
  }

  /** Lets somebody send to a path. Throws the server's `Error` where it cannot be. */
  publish(name: string, peer: Peer, tracks: Track[]): void {
    const conf = findPathConf(this.#options.configuration(), name)
    const path = this.#paths.get(name) ?? this.#create(name, conf)
    if (conf.source !== 'publisher') {
      throw new Error(`can't publish to path '${name}' since 'source' is not 'publisher'`)
    }
    if (path.publisher && !conf.overridePublisher) throw new Error(`someone is already publishing to path '${name}'`)
    path.dropPublisher()
    path.setPublisher(peer, tracks)
  }

  unpublish(name: string): void {
    const path = this.#paths.get(name)
    path?.dropPublisher()
    if (path && isPattern(String(path.conf.name))) this.#remove(path)
  }

  /** Lets somebody read a path. Throws the server's `Error` where there is nothing to read. */
  addReader(name: string, peer: Peer): void {
    findPathConf(this.#options.configuration(), name)
    const path = this.#paths.get(name)
    if (!path) throw new NothingToRead(name)
    path.addReader(peer)
  }

  /** A camera begins or ceases to answer. */
  setCamera(name: string, answers: boolean, error: string): void {
    if (answers) this.#cameras.add(name)
    else this.#cameras.delete(name)
    const path = this.#paths.get(name)
    if (!path) return
    path.setCamera(answers)
    if (!answers) this.#options.log('ERR', `[path ${name}] [${protocolOf(path.conf)} source] ${error}`)
  }

  /** Drops one who is on a path; false where nobody has this id. */
  kick(types: string[], id: string): boolean {
    const found = this.peers(types).find(({ peer }) => peer.id === id)
    if (!found) return false
    if (found.state === 'publish') this.unpublish(found.path.name)
    else found.path.removeReader(id)
    return true
  }

  /** Lets running recordings go on to the present. */
  tick(): void {
    for (const path of this.#paths.values()) path.tick()
  }

  #create(name: string, conf: PathConf): RunningPath {
    const { clock, log, onUnavailable } = this.#options
    const path = new RunningPath({ name, conf, clock, log, onUnavailable: () => onUnavailable(name) })
    this.#paths.set(name, path)
    path.setCamera(this.#cameras.has(name))
    return path
  }

  #remove(path: RunningPath): void {
    path.close()
    this.#paths.delete(path.name)
  }
}

function confOrNull(configuration: Configuration, name: string): PathConf | null {
  try {
    return findPathConf(configuration, name)
  } catch {
    return null
  }
}

const protocolOf = (conf: PathConf) => (pullerType(conf) ?? '').replace('Source', '').toUpperCase()

/** A path as the control API shows it. */
export function describePath(path: RunningPath): Json {
  const available = path.availableSinceUs !== null
  const availableTime = path.availableSinceUs === null ? null : formatInstant(path.availableSinceUs)
  const bytes = path.inboundBytes()
  return {
    name: path.name,
    confName: String(path.conf.name),
    ready: available,
    readyTime: availableTime,
    available,
    availableTime,
    online: path.source !== null,
    onlineTime: path.source === null ? null : path.onlineTime(),
    source: path.source,
    tracks: path.tracks.map((track) => track.codec),
    tracks2: path.tracks.map(({ codec, codecProps }) => ({ codec, codecProps })),
    readers: path.readers().map(({ type, id }) => ({ type, id })),
    inboundBytes: bytes,
    outboundBytes: bytes * path.readers().length,
    inboundFramesInError: 0,
    bytesReceived: bytes,
    bytesSent: bytes * path.readers().length
  }
}
