import type { MediaServer as MediaServerState } from '../../shared/api/sources.ts'
import type { MediaMtxClient } from './client.ts'
import type { Credential } from './transport.ts'

export type { MediaServerState }
export type ServerProblem = NonNullable<MediaServerState['problem']>

/** Base URLs without a slash at their end; null for a protocol that is switched off. */
export type ServerUrls = Record<'hls' | 'webrtc' | 'rtsp' | 'rtmp' | 'srt' | 'playback', string | null>

/** Where it asks that. */
export const AUTH_PATH = '/internal/mediamtx/auth'

/** The media server of a base, whoever runs it. */
export interface MediaServer {
  readonly mode: MediaServerState['mode']
  /** What the daemon shows it to read and to play back, as for its API; null: nothing. */
  readonly credential: Credential | null
  /** What its questions whether somebody may carry as `k`; null where none are expected. */
  readonly callbackKey: string | null
  /** Whether it asks the daemon who may send and watch; if not, nothing that the daemon says of that holds there. */
  asksUs(): boolean
  /** The folder of its recordings, one folder for each path in it; null where it is on another machine. */
  readonly recordRoot: string | null
  state(): MediaServerState
  /** Of the server that runs now, so it is asked for anew each time. Raises `AppError`: `live_unavailable`, `live_misconfigured`. */
  client(): MediaMtxClient
  /** Calls whenever a server is ready that may have forgotten every path: after each start, and when it answers again. */
  onReady(listener: () => void): void
  /** As this machine reaches it. */
  urls(): ServerUrls
  /** As others reach it who know this machine as `host`; a public host that the settings name comes before that. */
  publicUrls(host: string): ServerUrls
  /** What the server's log last said was wrong with a path, without secrets; null where nothing was, or nobody sees the log. */
  lastErrorOf(pathName: string): string | null
  start(): void
  /** Ends what `start` began, within 20 s; a server that somebody else runs goes on. */
  stop(): Promise<void>
}
