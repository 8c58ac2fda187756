import { randomUUID } from 'node:crypto'
import type { FakeClock } from './fake-clock.ts'
import type { Json } from './fields.ts'
import { formatInstant } from './go-values.ts'
import type { Peer } from './peers.ts'

const SESSION_IDLE_MS = 30_000

/** One viewer: a reader of the path, known by a secret in the addresses of its playlists. */
export interface HlsSession {
  peer: Peer
  path: string
  secret: string
  ip: string
  userAgent: string
  lastRequestUs: number
  outboundBytes: number
}

interface Muxer {
  createdUs: number
  lastRequestUs: number
  outboundBytes: number
  sessions: Map<string, HlsSession>
}

/** The copies of streams made for HLS viewers, and the viewers. */
export class HlsSessions {
  #clock: FakeClock
  #muxers = new Map<string, Muxer>()
  #onSessionEnd: (session: HlsSession) => void
  #closeAfterMs: () => number

  constructor(clock: FakeClock, closeAfterMs: () => number, onSessionEnd: (session: HlsSession) => void) {
    this.#clock = clock
    this.#closeAfterMs = closeAfterMs
    this.#onSessionEnd = onSessionEnd
  }

  open(path: string, peer: Peer, ip: string, userAgent: string): HlsSession {
    const nowUs = this.#clock.nowUs()
    const muxer = this.#muxers.get(path) ?? {
      createdUs: nowUs,
      lastRequestUs: nowUs,
      outboundBytes: 0,
      sessions: new Map()
    }
    this.#muxers.set(path, muxer)
    const session = { peer, path, secret: randomUUID(), ip, userAgent, lastRequestUs: nowUs, outboundBytes: 0 }
    muxer.sessions.set(session.secret, session)
    return session
  }

  /** The session of a child request: by its secret, and only from the address it began at. */
  find(path: string, secret: string | null, ip: string): HlsSession | undefined {
    this.endIdle()
    const session = this.#muxers.get(path)?.sessions.get(secret ?? '')
    return session?.ip === ip ? session : undefined
  }

  /** When the copy of a stream was begun, in microseconds. */
  startOf(path: string): number {
    return this.#muxers.get(path)?.createdUs ?? this.#clock.nowUs()
  }

  /** Notes what a viewer was sent; the 30 seconds it may be silent begin then. */
  count(session: HlsSession, bytes: number): void {
    session.outboundBytes += bytes
    session.lastRequestUs = this.#clock.nowUs()
    const muxer = this.#muxers.get(session.path)
    if (!muxer) return
    muxer.outboundBytes += bytes
    muxer.lastRequestUs = this.#clock.nowUs()
  }

  /** Ends a viewer; false where there is none with this id. */
  kick(id: string): boolean {
    const session = this.#all().find(({ peer }) => peer.id === id)
    if (session) this.#end(session)
    return session !== undefined
  }

  /** The stream ended, and all its viewers with it. */
  closeMuxer(path: string): void {
    this.#muxers.delete(path)
  }

  endIdle(): void {
    const nowUs = this.#clock.nowUs()
    for (const session of this.#all()) {
      if (nowUs - session.lastRequestUs > SESSION_IDLE_MS * 1000) this.#end(session)
    }
    for (const [path, muxer] of this.#muxers) {
      if (nowUs - muxer.lastRequestUs > this.#closeAfterMs() * 1000 && muxer.sessions.size === 0)
        this.#muxers.delete(path)
    }
  }

  /** The copies as the control API shows them, the oldest first. */
  muxerItems(): { path: string; item: Json }[] {
    const muxers = [...this.#muxers].sort(([, one], [, other]) => one.createdUs - other.createdUs)
    return muxers.map(([path, { createdUs, lastRequestUs, outboundBytes }]) => ({
      path,
      item: {
        path,
        created: formatInstant(createdUs),
        lastRequest: formatInstant(lastRequestUs),
        outboundBytes,
        outboundFramesDiscarded: 0,
        bytesSent: outboundBytes
      }
    }))
  }

  /** The viewers as the control API shows them, the oldest first. */
  sessionItems(): { id: string; item: Json }[] {
    const sessions = this.#all().sort((one, other) => one.peer.createdUs - other.peer.createdUs)
    return sessions.map(({ peer, path, userAgent, outboundBytes }) => ({
      id: peer.id,
      item: {
        id: peer.id,
        created: formatInstant(peer.createdUs),
        remoteAddr: peer.remoteAddress,
        path,
        query: peer.query,
        user: peer.user,
        userAgent,
        isCDN: false,
        outboundBytes
      }
    }))
  }

  #all(): HlsSession[] {
    return [...this.#muxers.values()].flatMap((muxer) => [...muxer.sessions.values()])
  }

  #end(session: HlsSession): void {
    this.#muxers.get(session.path)?.sessions.delete(session.secret)
    this.#onSessionEnd(session)
  }
}
