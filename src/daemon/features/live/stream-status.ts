import type { StreamStatus } from '../../../shared/api/sources.ts'
import type { RuntimePath } from '../../mediamtx/client.ts'
import type { Source } from './sources.repository.ts'

/** Kinds of readers as the media server names them, by protocol. */
const readerProtocols: Record<string, string> = {
  hlsSession: 'hls',
  hlsMuxer: 'hls',
  rtmpConn: 'rtmp',
  rtmpsConn: 'rtmp',
  rtspSession: 'rtsp',
  rtspsSession: 'rtsp',
  srtConn: 'srt',
  webRTCSession: 'webrtc',
  moqSession: 'moq'
}

/** What MediaMTX writes into MP4 files; other tracks it leaves out, and records nothing where no other is left. */
const RECORDED_CODECS: ReadonlySet<string> = new Set([
  ...['AV1', 'VP9', 'H265', 'H264', 'MPEG-4 Video', 'MPEG-1/2 Video', 'M-JPEG'],
  ...['Opus', 'MPEG-4 Audio', 'MPEG-4 Audio LATM', 'MPEG-1/2 Audio', 'AC3', 'AC-3', 'G711', 'LPCM']
])

/** Whether something of a stream is recorded when it shall be; what is not known yet may be. */
export function canBeRecorded(tracks: RuntimePath['tracks']): boolean {
  return tracks.length === 0 || tracks.some(({ codec }) => RECORDED_CODECS.has(codec))
}

/**
 * What is told of a stream. `path` is null where the media server does not know it. Its own word `online` is true of cameras that
 * cannot be reached, so it is not passed on: connected is what is available and has a source.
 */
export function statusOf(
  source: Source,
  path: RuntimePath | null,
  seen: { bitrate: number | null; lastError: string | null; isRecorded: boolean }
): StreamStatus {
  const available = path?.available ?? false
  const connected = available && path?.source != null
  const readers = path?.readers ?? []
  const byProtocol: Record<string, number> = {}
  for (const { type } of readers) {
    const protocol = readerProtocols[type] ?? type
    byProtocol[protocol] = (byProtocol[protocol] ?? 0) + 1
  }
  return {
    registered: path !== null,
    available,
    connected,
    source_type: connected ? (path?.source?.type ?? null) : null,
    tracks: (path?.tracks ?? []).map(({ codec, width, height }) => ({
      codec,
      ...(width === undefined ? {} : { width }),
      ...(height === undefined ? {} : { height })
    })),
    readers_total: readers.length,
    readers_by_protocol: byProtocol,
    inbound_bytes: path?.inboundBytes ?? 0,
    inbound_bitrate: available ? seen.bitrate : null,
    available_since: available ? (path?.availableTime ?? null) : null,
    recording: { desired: source.recordEnabled, active: source.recordEnabled && available && seen.isRecorded },
    on_demand: source.onDemand && !source.recordEnabled,
    last_error: seen.lastError
  }
}

const MIN_STEP_MS = 900
const MAX_STEP_MS = 30_000

/** How fast bytes come in, from looks at a counter that begins anew with each stream. */
export class RateMeter {
  readonly #looks = new Map<string, { bytes: number; atMs: number; bitrate: number | null }>()

  /** Notes a look at the counter of `name`. */
  note(name: string, bytes: number, nowMs: number): void {
    const last = this.#looks.get(name)
    if (last && nowMs - last.atMs < MIN_STEP_MS && bytes >= last.bytes) return
    const isComparable = last !== undefined && bytes >= last.bytes && nowMs - last.atMs <= MAX_STEP_MS
    const bitrate = isComparable ? ((bytes - last.bytes) * 8000) / (nowMs - last.atMs) : null
    this.#looks.set(name, { bytes, atMs: nowMs, bitrate })
  }

  /** Bits a second; null until two looks were taken. */
  bitrateOf(name: string): number | null {
    return this.#looks.get(name)?.bitrate ?? null
  }
}
