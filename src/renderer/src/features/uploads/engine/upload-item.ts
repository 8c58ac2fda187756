/** Where an upload stands. `lost`: the page was loaded again and no longer has the file; the base still has what was sent. */
export type UploadState = 'waiting' | 'checking' | 'sending' | 'finishing' | 'paused' | 'lost' | 'failed' | 'done'

/** One file on its way into the base, as a screen shows it. Never changed: each change makes a new one. */
export interface UploadItem {
  readonly id: string
  readonly name: string
  /** The folders it was found in, such as `DCIM/100MEDIA`; empty for a file of its own. */
  readonly folder: string
  readonly sizeBytes: number
  readonly state: UploadState
  /** While `checking`, how many bytes of it are read. */
  readonly checkedBytes: number
  /** How many bytes the base has or is just receiving. */
  readonly sentBytes: number
  /** Why it failed: a problem's code, or `file_unreadable`. */
  readonly problem: string | null
  /** Once it is done. */
  readonly assetId: string | null
  /** The base had these bytes already. */
  readonly isDuplicate: boolean
}

/** What keeps everything waiting; it is tried again until it is over. */
export type Hindrance = 'base_unreachable' | 'store_unreachable' | 'store_full' | 'session_ended'

/** All uploads at one moment. */
export interface UploadsSnapshot {
  /** In the order they were added. */
  readonly items: readonly UploadItem[]
  readonly counts: Readonly<Record<UploadState, number>>
  readonly totalBytes: number
  /** Of those, how many are in the base. */
  readonly hereBytes: number
  /** Over the last seconds; null while nothing is sent. */
  readonly bytesPerSecond: number | null
  /** Until what is not paused is here, at this speed; null while it cannot be told. */
  readonly remainingMs: number | null
  readonly hindrance: Hindrance | null
}

/** The states in which an upload goes on by itself. */
export const busyStates: ReadonlySet<UploadState> = new Set(['waiting', 'checking', 'sending', 'finishing'])

/** A summary of `items`, without what only time can tell. */
export function summarize(
  items: readonly UploadItem[]
): Pick<UploadsSnapshot, 'items' | 'counts' | 'totalBytes' | 'hereBytes'> & { leftBytes: number } {
  const counts = { waiting: 0, checking: 0, sending: 0, finishing: 0, paused: 0, lost: 0, failed: 0, done: 0 }
  let totalBytes = 0
  let hereBytes = 0
  let leftBytes = 0
  for (const { state, sizeBytes, sentBytes } of items) {
    counts[state] += 1
    totalBytes += sizeBytes
    hereBytes += state === 'done' ? sizeBytes : sentBytes
    if (busyStates.has(state)) leftBytes += sizeBytes - sentBytes
  }
  return { items, counts, totalBytes, hereBytes, leftBytes }
}
