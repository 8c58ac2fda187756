import type { MediaServer, MediaSource, StreamStatus } from '../../../shared/api/sources.ts'

/** A streaming service that is well. */
export const healthyServer: MediaServer = {
  mode: 'managed',
  state: 'ready',
  version: 'v1.20.1',
  started_at: '2026-11-21T01:00:00.000Z',
  problem: null,
  warnings: []
}

/** What is told of a stream that nobody sends, with some members changed. */
export function streamStatus(change: Partial<StreamStatus> = {}): StreamStatus {
  return {
    registered: true,
    available: false,
    connected: false,
    source_type: null,
    tracks: [],
    readers_total: 0,
    readers_by_protocol: {},
    inbound_bytes: 0,
    inbound_bitrate: null,
    available_since: null,
    recording: { desired: false, active: false },
    on_demand: false,
    last_error: null,
    ...change
  }
}

/** A stream that is live. */
export const liveStatus = streamStatus({
  available: true,
  connected: true,
  source_type: 'rtmpConn',
  tracks: [{ codec: 'H264', width: 1920, height: 1080 }, { codec: 'MPEG-4 Audio' }],
  readers_total: 2,
  readers_by_protocol: { hls: 1, webrtc: 1 },
  inbound_bytes: 1_000_000,
  inbound_bitrate: 4_200_000,
  available_since: '2026-11-21T01:00:00.000Z'
})

/** A stream that is sent here, with some members changed. */
export function mediaSource(change: Partial<MediaSource> = {}): MediaSource {
  const address = 'rtmp://192.168.1.10:1935/live/drone-1-a1b2c3d4?token=secret'
  return {
    id: 's'.repeat(26),
    workspace_id: 'w',
    name: 'Drone 1',
    path_name: 'live/drone-1-a1b2c3d4',
    type: 'push',
    protocol: 'rtmp',
    url: null,
    enabled: true,
    record_enabled: false,
    on_demand: false,
    drift: null,
    push_url: address,
    push_urls: { rtmp: address, rtsp: 'rtsp://192.168.1.10:8554/live/drone-1-a1b2c3d4', srt: null, whip: null },
    created_at: '2026-11-21T01:00:00.000Z',
    updated_at: '2026-11-21T01:00:00.000Z',
    status: streamStatus(),
    ...change
  }
}

/** The list of streams as the daemon answers it. */
export function sourceList(...items: MediaSource[]) {
  return { items, nextCursor: null, server: healthyServer }
}
