import type { MediaSource, StreamStatus } from '../../../../shared/api/sources.ts'

/** How serious something is, for its colour: nothing wrong and nothing going on (`idle`), well, worth a look, wrong. */
export type Tone = 'idle' | 'ok' | 'warn' | 'bad'

/** What is true of a stream now. */
export interface StreamTruth {
  text: 'live' | 'waiting' | 'onDemand' | 'connecting' | 'unreachable' | 'off' | 'missing' | 'unknown'
  tone: Tone
}

/** Sums a stream up. What the media server did not tell is not known, whatever was known before. */
export function truthOf({ enabled, type, status }: Pick<MediaSource, 'enabled' | 'type' | 'status'>): StreamTruth {
  if (!enabled) return { text: 'off', tone: 'idle' }
  if (status === null) return { text: 'unknown', tone: 'warn' }
  if (!status.registered) return { text: 'missing', tone: 'bad' }
  if (status.available && status.connected) return { text: 'live', tone: 'ok' }
  if (type === 'push') return { text: 'waiting', tone: 'idle' }
  if (status.last_error !== null) return { text: 'unreachable', tone: 'bad' }
  if (status.on_demand) return { text: 'onDemand', tone: 'idle' }
  return { text: 'connecting', tone: 'warn' }
}

/** Whether asking for the stream makes sense: it is there, or comes when somebody asks, or nobody knows. */
export function canWatch({ enabled, status }: Pick<MediaSource, 'enabled' | 'status'>): boolean {
  return enabled && (status === null || (status.registered && (status.available || status.on_demand)))
}

/** What is true of the recording of a stream: what was asked for, and what happens. */
export interface RecordTruth {
  text: 'recording' | 'armed' | 'armedOff' | 'armedUnknown' | 'stuck' | 'stopping' | 'off'
  tone: Tone
}

/** Tells recording from the wish to record. */
export function recordTruthOf(source: Pick<MediaSource, 'enabled' | 'record_enabled' | 'status'>): RecordTruth {
  const { enabled, status } = source
  const desired = status?.recording.desired ?? source.record_enabled
  if (status?.recording.active) return desired ? { text: 'recording', tone: 'ok' } : { text: 'stopping', tone: 'warn' }
  if (!desired) return { text: 'off', tone: 'idle' }
  if (!enabled) return { text: 'armedOff', tone: 'idle' }
  if (status === null) return { text: 'armedUnknown', tone: 'warn' }
  return status.available ? { text: 'stuck', tone: 'bad' } : { text: 'armed', tone: 'warn' }
}

/** Why a stream cannot be fetched, by what is found in the media server's words; first match first. */
const failures = [
  ['credentials', /\b401\b|unauthori[sz]ed|authentication/i],
  ['certificate', /certificate|x509|fingerprint|tls:/i],
  ['refused', /connection refused|ECONNREFUSED/i],
  ['noHost', /no such host|name resolution|server misbehaving/i],
  ['noAnswer', /timed? ?out|no route to host|unreachable|deadline exceeded|\bEOF\b|connection reset/i],
  ['noStream', /\b40[034]\b|not found|no stream|bad request/i],
  ['codec', /codec|unsupported|no (supported )?tracks?/i]
] as const

export type StreamFailure = (typeof failures)[number][0] | 'other'

/** Which of the usual reasons stands in the words of the media server. */
export function failureOf(lastError: string): StreamFailure {
  return failures.find(([, pattern]) => pattern.test(lastError))?.[0] ?? 'other'
}

/** What people call a codec that MediaMTX names by its standard. */
export function codecName(codec: string): string {
  return codec.startsWith('MPEG-4 Audio') ? 'AAC' : codec === 'MPEG-1/2 Audio' ? 'MP3' : codec
}

/** A protocol as it is written. */
export function protocolName(protocol: string): string {
  return /^webrtc$/i.test(protocol) ? 'WebRTC' : protocol.toUpperCase()
}

type Track = StreamStatus['tracks'][number]

const pictureCodecs = /^(AV1|VP[89]|H26[45]|MPEG-4 Video|MPEG-1\/2 Video|M-JPEG)$/
const soundCodecs = /^(Opus|FLAC|Vorbis|MPEG-4 Audio|MPEG-4 Audio LATM|MPEG-1\/2 Audio|AC3|Speex|G7\d\d|LPCM)$/
/** What browsers take of each way (MediaMTX: what it passes on by that way). */
const takes = {
  webrtc: /^(AV1|VP[89]|H264|H265|Opus|G722|G711)$/,
  hls: /^(AV1|VP9|H26[45]|Opus|FLAC|MPEG-4 Audio|MPEG-4 Audio LATM)$/
} as const

export const pictureOf = (tracks: readonly Track[]) => tracks.find(({ codec }) => pictureCodecs.test(codec))
export const soundOf = (tracks: readonly Track[]) => tracks.find(({ codec }) => soundCodecs.test(codec))

/** What to warn of before somebody wonders: a picture or a sound that screens do not take. */
export function codecWarnings(tracks: readonly Track[]): { text: 'h265' | 'picture' | 'sound'; codec: string }[] {
  const picture = pictureOf(tracks)?.codec
  const sound = soundOf(tracks)?.codec
  const isTaken = (codec: string) => takes.webrtc.test(codec) || takes.hls.test(codec)
  return [
    ...(picture === 'H265' ? [{ text: 'h265' as const, codec: picture }] : []),
    ...(picture !== undefined && !isTaken(picture) ? [{ text: 'picture' as const, codec: picture }] : []),
    ...(sound !== undefined && !isTaken(sound) ? [{ text: 'sound' as const, codec: sound }] : [])
  ]
}

export type Way = keyof typeof takes

/**
 * The ways to try for a stream, the best first: WebRTC is soonest, HLS takes more kinds and gets through everywhere. A way that
 * lacks the picture is left out; one that lacks the sound comes last where the sound is wanted.
 */
export function waysFor(tracks: readonly Track[], wantsSound: boolean, canReceive: (codec: string) => boolean): Way[] {
  const picture = pictureOf(tracks)?.codec
  const sound = soundOf(tracks)?.codec
  const fits = (way: Way) =>
    picture === undefined || (takes[way].test(picture) && (way === 'hls' || picture !== 'H265' || canReceive(picture)))
  const ways = (['webrtc', 'hls'] as const).filter(fits)
  if (ways.length === 0) return ['hls']
  const lacks = (way: Way) => (wantsSound && sound !== undefined && !takes[way].test(sound) ? 1 : 0)
  return ways.toSorted((a, b) => lacks(a) - lacks(b))
}
