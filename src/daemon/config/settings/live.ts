import { resolve } from 'node:path'
import { z } from 'zod'
import { type ListenAddress, listen, listenSchema } from './listeners.ts'
import { amountSchema, hostSchema, httpUrlSchema, setting, switchSchema, type ValuesOf } from './setting.ts'

/** Streams, and the media server that carries them. */
export interface LiveConfig {
  isEnabled: boolean
  /** The MediaMTX program; null: looked for. */
  mediamtxPath: string | null
  /** A media server that somebody else runs; null: the daemon runs its own. */
  external: {
    apiUrl: string
    credential: { user: string; password: string } | null
    /** Where it asks who may send and watch, and what it shows there; null: it does not ask. */
    auth: { listen: ListenAddress; key: string } | null
  } | null
  /** Whether streams may be fetched from this machine itself. */
  allowLoopback: boolean
  /** What addresses of streams name as their host; null: what the caller reached this program by. */
  publicHost: string | null
  /** Where its own media server listens; null for a protocol that is switched off. */
  listen: LiveListeners
  hlsVariant: 'lowLatency' | 'fmp4'
  recordings: {
    /** An absolute path. */
    dir: string
    /** About how long the files are. */
    segmentMs: number
    /** How old recordings get, how much all of them may take, and how much room they leave; null: no limit. */
    keepMs: number | null
    maxBytes: number | null
    minFreeBytes: number | null
    /** Longer times without a recording divide one session from the next. */
    maxGapMs: number
  }
}

export const liveListeners = ['rtmp', 'rtsp', 'hls', 'webrtc', 'webrtcUdp', 'srt'] as const
/** `webrtc` is the HTTP that WebRTC begins with, `webrtcUdp` where its media come and go. */
export type LiveListeners = Record<(typeof liveListeners)[number], ListenAddress | null>

const listenOrOffSchema = z.union([z.literal('off'), listenSchema], { error: 'must be HOST:PORT or off' })

/** Streams and their recordings. */
export const liveSettings = {
  liveEnabled: setting({
    toml: 'live.enabled',
    env: 'FLIGHTCASE_LIVE_ENABLED',
    help: 'carry streams of cameras and drones, which takes MediaMTX; on unless switched off',
    schema: switchSchema
  }),
  mediamtxBin: setting({
    toml: 'live.mediamtx_bin',
    env: 'FLIGHTCASE_MEDIAMTX_BIN',
    help: 'MediaMTX program (1.18 or later), when it is not on the PATH',
    schema: z.string().min(1)
  }),
  mediamtxApi: setting({
    toml: 'live.mediamtx_api',
    env: 'FLIGHTCASE_MEDIAMTX_API',
    help: 'control API of a MediaMTX that runs already (http://HOST:9997); none is started then',
    schema: httpUrlSchema
  }),
  mediamtxUser: setting({
    toml: 'live.mediamtx_user',
    env: 'FLIGHTCASE_MEDIAMTX_USER',
    help: 'user for that API, where it wants one; it also needs to read and play back',
    schema: z.string().min(1)
  }),
  mediamtxPassword: setting({
    toml: 'live.mediamtx_password',
    env: 'FLIGHTCASE_MEDIAMTX_PASSWORD',
    help: 'password of that user',
    secret: true,
    schema: z.string().min(1)
  }),
  mediamtxAuth: setting({
    toml: 'live.mediamtx_auth',
    env: 'FLIGHTCASE_MEDIAMTX_AUTH',
    help: 'address where a MediaMTX that runs already asks who may send and watch; without it, it does not ask',
    schema: listenSchema
  }),
  mediamtxAuthKey: setting({
    toml: 'live.mediamtx_auth_key',
    env: 'FLIGHTCASE_MEDIAMTX_AUTH_KEY',
    help: 'what it shows there as `k`: letters, digits, `-` and `_`, 16 at least',
    secret: true,
    schema: z.string().regex(/^[\w-]{16,256}$/, 'must be 16 to 256 letters, digits, - and _')
  }),
  liveAllowLoopback: setting({
    toml: 'live.allow_loopback',
    env: 'FLIGHTCASE_LIVE_ALLOW_LOOPBACK',
    help: 'also fetch streams from this machine itself',
    schema: switchSchema
  }),
  livePublicHost: setting({
    toml: 'live.public_host',
    env: 'FLIGHTCASE_LIVE_PUBLIC_HOST',
    help: 'host name or address that addresses of streams name, when it is not the one that this program is reached by',
    schema: hostSchema('')
  }),
  liveRtmp: setting({
    toml: 'live.rtmp',
    env: 'FLIGHTCASE_LIVE_RTMP',
    help: 'address of RTMP, which drones and OBS send to; off: none',
    schema: listenOrOffSchema
  }),
  liveRtsp: setting({
    toml: 'live.rtsp',
    env: 'FLIGHTCASE_LIVE_RTSP',
    help: 'address of RTSP (TCP only); off: none',
    schema: listenOrOffSchema
  }),
  liveHls: setting({
    toml: 'live.hls',
    env: 'FLIGHTCASE_LIVE_HLS',
    help: 'address of HLS; off: none',
    schema: listenOrOffSchema
  }),
  liveWebrtc: setting({
    toml: 'live.webrtc',
    env: 'FLIGHTCASE_LIVE_WEBRTC',
    help: 'address that WebRTC begins at (WHEP and WHIP); off: none',
    schema: listenOrOffSchema
  }),
  liveWebrtcUdp: setting({
    toml: 'live.webrtc_udp',
    env: 'FLIGHTCASE_LIVE_WEBRTC_UDP',
    help: 'UDP address of the media of WebRTC',
    schema: listenSchema
  }),
  liveSrt: setting({
    toml: 'live.srt',
    env: 'FLIGHTCASE_LIVE_SRT',
    help: 'UDP address of SRT, for instance `0.0.0.0:8890`; off: none',
    schema: listenOrOffSchema
  }),
  liveHlsVariant: setting({
    toml: 'live.hls_variant',
    env: 'FLIGHTCASE_LIVE_HLS_VARIANT',
    help: 'lowLatency or fmp4: fmp4 is some seconds later and takes fewer requests',
    schema: z.enum(['lowLatency', 'fmp4'])
  }),
  recordingsDir: setting({
    toml: 'live.recordings_dir',
    env: 'FLIGHTCASE_RECORDINGS_DIR',
    help: 'folder for recordings of streams; `recordings` in the data folder when left out',
    schema: z
      .string()
      .min(1)
      .regex(/^[^%]*$/, 'must not have a % in it')
  }),
  recordingsSegmentMinutes: setting({
    toml: 'live.segment_minutes',
    env: 'FLIGHTCASE_RECORDINGS_SEGMENT_MINUTES',
    help: 'about how long the files of a recording are, in minutes, at most a day',
    schema: amountSchema(1440).pipe(z.number().positive('must be more than 0'))
  }),
  recordingsKeepDays: setting({
    toml: 'live.keep_days',
    env: 'FLIGHTCASE_RECORDINGS_KEEP_DAYS',
    help: 'how long recordings are kept that nothing refers to; without it no age ends them',
    schema: amountSchema(36_500).pipe(z.number().positive('must be more than 0'))
  }),
  recordingsMaxGb: setting({
    toml: 'live.max_gb',
    env: 'FLIGHTCASE_RECORDINGS_MAX_GB',
    help: 'how much all recordings may take; the oldest that nothing refers to go first',
    schema: amountSchema(1_000_000).pipe(z.number().positive('must be more than 0'))
  }),
  recordingsMinFreeGb: setting({
    toml: 'live.min_free_gb',
    env: 'FLIGHTCASE_RECORDINGS_MIN_FREE_GB',
    help: 'how much room recordings leave on their disk; the oldest that nothing refers to go first',
    schema: amountSchema(1_000_000).pipe(z.number().positive('must be more than 0'))
  }),
  recordingsGapSeconds: setting({
    toml: 'live.gap_seconds',
    env: 'FLIGHTCASE_RECORDINGS_GAP_SECONDS',
    help: 'how long nothing may be recorded before what follows is shown as another recording',
    schema: amountSchema(86_400)
  })
} as const

export const liveDefaults = {
  liveRtmp: { host: '0.0.0.0', port: 1935 },
  liveRtsp: { host: '0.0.0.0', port: 8554 },
  liveHls: { host: '0.0.0.0', port: 8888 },
  liveWebrtc: { host: '0.0.0.0', port: 8889 },
  liveWebrtcUdp: { host: '0.0.0.0', port: 8189 },
  liveSrt: 'off',
  liveHlsVariant: 'lowLatency',
  recordingsSegmentMinutes: 15,
  recordingsGapSeconds: 10
} as const satisfies ValuesOf<typeof liveSettings>

/** `dataDir` is an absolute path. */
export function liveConfig(values: ValuesOf<typeof liveSettings>, dataDir: string): LiveConfig {
  const { mediamtxApi, mediamtxUser, mediamtxPassword, mediamtxAuth, mediamtxAuthKey: key } = values
  const gigabytes = (amount: number | undefined) => (amount === undefined ? null : Math.round(amount * 1e9))
  const credential =
    mediamtxUser === undefined || mediamtxPassword === undefined
      ? null
      : { user: mediamtxUser, password: mediamtxPassword }
  const auth =
    mediamtxAuth === undefined || key === undefined
      ? null
      : { listen: listen(mediamtxAuth, { host: '0.0.0.0', port: 0 }), key }
  return {
    isEnabled: values.liveEnabled ?? true,
    mediamtxPath: values.mediamtxBin ?? null,
    external: mediamtxApi === undefined ? null : { apiUrl: mediamtxApi, credential, auth },
    allowLoopback: values.liveAllowLoopback ?? false,
    publicHost: values.livePublicHost ?? null,
    listen: {
      rtmp: listenUnlessOff(values.liveRtmp, liveDefaults.liveRtmp),
      rtsp: listenUnlessOff(values.liveRtsp, liveDefaults.liveRtsp),
      hls: listenUnlessOff(values.liveHls, liveDefaults.liveHls),
      webrtc: listenUnlessOff(values.liveWebrtc, liveDefaults.liveWebrtc),
      webrtcUdp: listen(values.liveWebrtcUdp, liveDefaults.liveWebrtcUdp),
      srt: listenUnlessOff(values.liveSrt ?? liveDefaults.liveSrt, { host: '0.0.0.0', port: 8890 })
    },
    hlsVariant: values.liveHlsVariant ?? liveDefaults.liveHlsVariant,
    recordings: {
      dir: resolve(dataDir, values.recordingsDir ?? 'recordings'),
      segmentMs: Math.round((values.recordingsSegmentMinutes ?? liveDefaults.recordingsSegmentMinutes) * 60_000),
      keepMs: values.recordingsKeepDays === undefined ? null : values.recordingsKeepDays * 86_400_000,
      maxBytes: gigabytes(values.recordingsMaxGb),
      minFreeBytes: gigabytes(values.recordingsMinFreeGb),
      maxGapMs: (values.recordingsGapSeconds ?? liveDefaults.recordingsGapSeconds) * 1000
    }
  }
}

function listenUnlessOff(
  value: 'off' | { host: string | null; port: number } | undefined,
  fallback: ListenAddress
): ListenAddress | null {
  return value === 'off' ? null : listen(value, fallback)
}

/** What is missing beside what was given. */
export function missingForLive(given: ReadonlySet<string>): string[] {
  const { mediamtxUser, mediamtxPassword, mediamtxAuth, mediamtxAuthKey } = liveSettings
  return [
    ...missingOf({ mediamtxUser, mediamtxPassword }, 'a user and a password for MediaMTX belong together', given),
    ...missingOf({ mediamtxAuth, mediamtxAuthKey }, 'where MediaMTX asks and with which key belong together', given)
  ]
}

/** Of two settings that belong together and to a MediaMTX that runs already. */
function missingOf(
  pair: Record<string, { env: string; toml: string }>,
  reason: string,
  given: ReadonlySet<string>
): string[] {
  const { env, toml } = liveSettings.mediamtxApi
  const missing = Object.entries(pair).filter(([name]) => !given.has(name))
  if (missing.length === 1) return missing.map(([, setting]) => `${setting.env} (${setting.toml}): ${reason}`)
  const isOfNone = missing.length === 0 && !given.has('mediamtxApi')
  return isOfNone ? [`${env} (${toml}): ${Object.values(pair)[0]!.env} is for a MediaMTX that runs already`] : []
}
