import { z } from 'zod'

/** What the media server says of itself. */
export const infoSchema = z.object({ version: z.string(), started: z.string() })
export type ServerInfo = z.output<typeof infoSchema>

/** The settings of the whole server that we read; versions differ in which they have. */
export const globalConfigSchema = z
  .object({
    authMethod: z.string(),
    authHTTPAddress: z.string(),
    authHTTPExclude: z.array(z.object({ action: z.string() })).nullish(),
    playback: z.boolean(),
    playbackAddress: z.string(),
    playbackEncryption: z.boolean(),
    rtsp: z.boolean(),
    rtspAddress: z.string(),
    rtspsAddress: z.string(),
    rtspEncryption: z.string(),
    rtmp: z.boolean(),
    rtmpAddress: z.string(),
    rtmpsAddress: z.string(),
    rtmpEncryption: z.string(),
    hls: z.boolean(),
    hlsAddress: z.string(),
    hlsEncryption: z.boolean(),
    hlsVariant: z.string(),
    webrtc: z.boolean(),
    webrtcAddress: z.string(),
    webrtcEncryption: z.boolean(),
    srt: z.boolean(),
    srtAddress: z.string(),
    authInternalUsers: z
      .array(
        z.object({
          user: z.string(),
          ips: z.array(z.string()).nullish(),
          permissions: z.array(z.object({ action: z.string() })).nullish()
        })
      )
      .nullish()
  })
  .partial()
export type GlobalConfig = z.output<typeof globalConfigSchema>

const endSchema = z.object({ type: z.string(), id: z.string() })
const sizeSchema = z.object({ width: z.int().positive().optional(), height: z.int().positive().optional() })

/**
 * A path as it is now. `source`: what sends to it; of a path that is pulled it is there whether or not the camera can be
 * reached, so only `available` says that. `inboundBytes` begins at 0 whenever the stream does.
 */
export const runtimePathSchema = z
  .object({
    name: z.string(),
    ready: z.boolean().optional(),
    readyTime: z.string().nullish(),
    available: z.boolean().optional(),
    availableTime: z.string().nullish(),
    source: endSchema.nullish(),
    tracks: z.array(z.string()).nullish(),
    tracks2: z.array(z.object({ codec: z.string(), codecProps: z.unknown() })).nullish(),
    readers: z.array(endSchema).nullish(),
    inboundBytes: z.number().optional(),
    bytesReceived: z.number().optional()
  })
  .transform((path) => ({
    name: path.name,
    /** Whether it can be read now. */
    available: path.available ?? path.ready ?? false,
    availableTime: path.availableTime ?? path.readyTime ?? null,
    source: path.source ?? null,
    tracks: path.tracks2
      ? path.tracks2.map(({ codec, codecProps }) => ({ codec, ...pictureSize(codecProps) }))
      : (path.tracks ?? []).map((codec) => ({ codec, ...pictureSize(null) })),
    readers: path.readers ?? [],
    inboundBytes: path.inboundBytes ?? path.bytesReceived ?? 0
  }))

/** Empty for sound, and for codecs whose size the server does not know. */
function pictureSize(codecProps: unknown): z.output<typeof sizeSchema> {
  return sizeSchema.safeParse(codecProps).data ?? {}
}

/** The starts of a path's segments, ascending, exactly as the server writes them: it finds a file by that text. */
export const recordingSchema = z
  .object({ name: z.string(), segments: z.array(z.object({ start: z.string() })) })
  .transform(({ name, segments }) => ({ name, starts: segments.map(({ start }) => start) }))

export const playbackListSchema = z
  .array(z.object({ start: z.string(), duration: z.number() }))
  .transform((spans) => spans.map(({ start, duration }) => ({ start, durationS: duration })))
/** What was recorded without a break. `start`: RFC 3339, as the server writes it. */
export type RecordedSpan = z.output<typeof playbackListSchema>[number]

export const pageSchema = z.object({ pageCount: z.int(), items: z.array(z.unknown()) })
export const refusalSchema = z.object({ error: z.string() })
