import type { MediaMtxClient } from '../../mediamtx/client.ts'

/** The calls of the media server that recordings need. */
export type RecordingClient = Pick<
  MediaMtxClient,
  | 'getPath'
  | 'replacePath'
  | 'deletePath'
  | 'waitForPath'
  | 'getRecordings'
  | 'deleteSegment'
  | 'playbackList'
  | 'openPlayback'
>

/** The media server, as far as recordings need it. */
export interface RecordingServer {
  /** The folder that it records into; null: it runs on another machine. */
  readonly recordRoot: string | null
  /** Raises `AppError` (`live_unavailable`, `live_misconfigured`); its calls raise `MediaMtxError`. */
  client(): RecordingClient
  /** What it said last was wrong with a path; null for nothing, and where it runs elsewhere. */
  lastErrorOf(pathName: string): string | null
  /** Calls whenever a server is ready that was not before. */
  onReady(listener: () => void): void
}
