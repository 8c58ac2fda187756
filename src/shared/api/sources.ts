import { z } from 'zod'
import { defineEndpoint } from '../endpoint.ts'
import { idSchema, instantSchema, pageOf, pageQuery } from './common.ts'
import { DEFAULT_WORKSPACE } from './uploads.ts'
import { workspaceIdSchema } from './workspaces.ts'

// Operations on streams write their names as the systems do that Flightcase takes the place of: with underscores.

/** `pull`: the media server fetches the stream from `url`; `push`: somebody sends it to `push_url`. */
export const sourceTypes = ['pull', 'push'] as const
export const sourceProtocols = ['rtsp', 'rtmp', 'hls', 'webrtc', 'srt', 'mpegts'] as const
export type SourceProtocol = (typeof sourceProtocols)[number]

/** How the media server's path differs from what is wanted; null when it does not, or when that cannot be seen. */
export const sourceDrifts = ['missing', 'differs'] as const

/** What the media server says of a path, corrected: see `docs/decisions`. Rates are bits a second. */
export const streamStatusSchema = z
  .object({
    /** Whether the media server knows the path. */
    registered: z.boolean(),
    /** Whether it can be watched now. */
    available: z.boolean(),
    /** Whether something sends it. */
    connected: z.boolean(),
    /** As the media server names it: `rtmpConn`, `rtspSession`, `rtspSource`, …; null while nothing sends. */
    source_type: z.string().nullable(),
    tracks: z.array(z.object({ codec: z.string(), width: z.int().optional(), height: z.int().optional() })),
    readers_total: z.int(),
    readers_by_protocol: z.record(z.string(), z.int()),
    inbound_bytes: z.int(),
    /** Of the last seconds; null until two looks were taken. */
    inbound_bitrate: z.number().nullable(),
    available_since: z.string().nullable(),
    /** `desired`: it shall be recorded; `active`: it is, now. */
    recording: z.object({ desired: z.boolean(), active: z.boolean() }),
    /** Fetched only while somebody watches. */
    on_demand: z.boolean(),
    /** Why the media server could not fetch it, in its words, without passwords. */
    last_error: z.string().nullable()
  })
  .meta({ id: 'StreamStatus' })
export type StreamStatus = z.infer<typeof streamStatusSchema>

/** Where a stream can be sent to; null for a protocol that is switched off. */
const pushUrlsSchema = z.object({
  rtmp: z.string().nullable(),
  rtsp: z.string().nullable(),
  srt: z.string().nullable(),
  whip: z.string().nullable()
})

/** A stream that the base owns: one path of the media server. */
export const mediaSourceSchema = z
  .object({
    id: idSchema,
    workspace_id: z.string(),
    name: z.string(),
    path_name: z.string(),
    type: z.enum(sourceTypes),
    protocol: z.enum(sourceProtocols),
    /** With its password hidden; null for `push`. */
    url: z.string().nullable(),
    enabled: z.boolean(),
    record_enabled: z.boolean(),
    on_demand: z.boolean(),
    drift: z.enum(sourceDrifts).nullable(),
    /** For `push`; with the key to publish where the caller may see it. */
    push_url: z.string().nullable(),
    push_urls: pushUrlsSchema.nullable(),
    created_at: instantSchema,
    updated_at: instantSchema,
    /** Null where it was not asked for, or the media server does not answer. */
    status: streamStatusSchema.nullable()
  })
  .meta({ id: 'MediaSource' })
export type MediaSource = z.infer<typeof mediaSourceSchema>

/** How the base gets on with its media server. */
export const mediaServerSchema = z
  .object({
    mode: z.enum(['managed', 'external']),
    state: z.enum(['missing', 'starting', 'ready', 'unreachable', 'misconfigured', 'stopped']),
    version: z.string().nullable(),
    /** Since when it runs, as it says itself. */
    started_at: z.string().nullable(),
    /** What is wrong, and what helps; null when all is well. */
    problem: z.object({ code: z.string(), message: z.string(), remedy: z.string() }).nullable(),
    /** What is not as it should be with a server that somebody else runs. */
    warnings: z.array(z.string())
  })
  .meta({ id: 'MediaServer' })
export type MediaServer = z.infer<typeof mediaServerSchema>

export const sourceParams = z.object({ sourceId: idSchema })
const nameSchema = z.string().trim().min(1).max(255)
/** A stream's address with all it needs, passwords too. */
const pullUrlSchema = z.string().min(1).max(1024)
const statusQuery = { with_status: z.stringbool().default(false) }
const changeable = {
  name: nameSchema,
  url: pullUrlSchema,
  record_enabled: z.boolean(),
  /** Only for `pull`: fetch it only while somebody watches or it is recorded. */
  on_demand: z.boolean(),
  rtsp_transport: z.enum(['automatic', 'tcp', 'udp']),
  /** SHA-256 (hex) of the certificate of a source that signs its own. */
  fingerprint: z.string().regex(/^[0-9a-fA-F]{64}$/)
}

/** Refusals of whatever needs the media server. */
export const serverErrors = ['live_unavailable', 'live_misconfigured'] as const

export const listSources = defineEndpoint({
  name: 'listSources',
  method: 'GET',
  path: '/api/v1/sources',
  tag: 'Sources',
  summary: 'Streams, by name; `with_status` asks the media server once for all',
  role: 'viewer',
  forScopedTokens: true,
  query: z.object({
    ...pageQuery,
    ...statusQuery,
    type: z.enum(sourceTypes).optional(),
    enabled: z.stringbool().optional(),
    workspaceId: workspaceIdSchema.optional()
  }),
  response: pageOf(mediaSourceSchema).extend({ server: mediaServerSchema }),
  errors: ['invalid_request', 'workspace_not_found']
})

export const createSource = defineEndpoint({
  name: 'createSource',
  method: 'POST',
  path: '/api/v1/sources',
  tag: 'Sources',
  summary: 'Add a stream: `pull` with its `url`, or `push` and get the address to send it to',
  role: 'operator',
  forScopedTokens: true,
  body: z.strictObject({
    ...z.object(changeable).partial().shape,
    name: nameSchema,
    type: z.enum(sourceTypes),
    /** Found out from `url` where it is left out. */
    protocol: z.enum(sourceProtocols).optional(),
    workspaceId: workspaceIdSchema.default(DEFAULT_WORKSPACE),
    enabled: z.boolean().default(true)
  }),
  response: mediaSourceSchema,
  secretAnswer: true,
  errors: ['invalid_request', 'pull_url_refused', 'workspace_not_found', 'path_exists', ...serverErrors]
})

export const getSource = defineEndpoint({
  name: 'getSource',
  method: 'GET',
  path: '/api/v1/sources/{sourceId}',
  tag: 'Sources',
  summary: 'One stream',
  role: 'viewer',
  forScopedTokens: true,
  params: sourceParams,
  query: z.object(statusQuery),
  response: mediaSourceSchema,
  errors: ['invalid_request', 'source_not_found']
})

export const updateSource = defineEndpoint({
  name: 'updateSource',
  method: 'PUT',
  path: '/api/v1/sources/{sourceId}',
  tag: 'Sources',
  summary: 'Change a stream; another `url` interrupts everybody who watches. Its path keeps its name',
  role: 'operator',
  forScopedTokens: true,
  params: sourceParams,
  body: z.strictObject(changeable).partial(),
  response: mediaSourceSchema,
  secretAnswer: true,
  errors: ['invalid_request', 'pull_url_refused', 'source_not_found', ...serverErrors]
})

export const deleteSource = defineEndpoint({
  name: 'deleteSource',
  method: 'DELETE',
  path: '/api/v1/sources/{sourceId}',
  tag: 'Sources',
  summary: 'Remove a stream that no asset belongs to, with its recordings or without',
  role: 'operator',
  forScopedTokens: true,
  params: sourceParams,
  query: z.object({ recordings: z.enum(['keep', 'delete']).default('keep') }),
  response: 'empty',
  errors: ['invalid_request', 'source_not_found', 'source_has_assets', ...serverErrors]
})

const ofSource = {
  tag: 'Sources',
  forScopedTokens: true,
  params: sourceParams
} as const

export const enableSource = defineEndpoint({
  ...ofSource,
  name: 'enableSource',
  method: 'POST',
  path: '/api/v1/sources/{sourceId}/enable',
  summary: 'Let a stream come in again',
  role: 'operator',
  response: mediaSourceSchema,
  secretAnswer: true,
  errors: ['source_not_found', ...serverErrors]
})

export const disableSource = defineEndpoint({
  ...ofSource,
  name: 'disableSource',
  method: 'POST',
  path: '/api/v1/sources/{sourceId}/disable',
  summary: 'Shut a stream out; what was recorded can still be played',
  role: 'operator',
  response: mediaSourceSchema,
  secretAnswer: true,
  errors: ['source_not_found', ...serverErrors]
})

export const getSourceStatus = defineEndpoint({
  ...ofSource,
  name: 'getSourceStatus',
  method: 'GET',
  path: '/api/v1/sources/{sourceId}/status',
  summary: 'What the media server says of a stream now',
  role: 'viewer',
  response: streamStatusSchema,
  errors: ['source_not_found', ...serverErrors]
})

/** Where a stream can be watched; null for a protocol that is switched off. Each address opens it by itself, for a while. */
export const streamPreviewSchema = z
  .object({
    path_name: z.string(),
    hls_url: z.string().nullable(),
    webrtc_url: z.string().nullable(),
    rtsp_url: z.string().nullable(),
    rtmp_url: z.string().nullable(),
    srt_url: z.string().nullable(),
    push_url: z.string().nullable(),
    push_urls: pushUrlsSchema.nullable(),
    /** For pages of the base itself, through it: these need its token or session instead. */
    hls_path: z.string(),
    whep_path: z.string(),
    /** Until when watching by `hls_url` and `webrtc_url` can begin; null where the media server does not ask the base. */
    expires_at: instantSchema.nullable(),
    /** The same for the other addresses to watch at, which are copied into other programs. */
    copies_expire_at: instantSchema.nullable()
  })
  .meta({ id: 'StreamPreview' })
export type StreamPreview = z.infer<typeof streamPreviewSchema>

export const previewSource = defineEndpoint({
  ...ofSource,
  name: 'previewSource',
  method: 'GET',
  path: '/api/v1/sources/{sourceId}/preview',
  summary: 'Addresses to watch a stream at, and to send it to',
  role: 'viewer',
  response: streamPreviewSchema,
  errors: ['source_not_found']
})

export const streamReadySchema = z
  .object({
    ready: z.boolean(),
    reason: z.enum(['available', 'on_demand', 'disabled', 'not_registered', 'nobody_sends', 'source_unreachable'])
  })
  .meta({ id: 'StreamReady' })

export const isPreviewReady = defineEndpoint({
  ...ofSource,
  name: 'isPreviewReady',
  method: 'GET',
  path: '/api/v1/sources/{sourceId}/preview/ready',
  summary: 'Whether watching a stream makes sense now',
  role: 'viewer',
  response: streamReadySchema,
  errors: ['source_not_found', ...serverErrors]
})

export const replacePublishKey = defineEndpoint({
  ...ofSource,
  name: 'replacePublishKey',
  method: 'POST',
  path: '/api/v1/sources/{sourceId}/publish-key',
  summary: 'A new address to send a stream to; the former one ends at once, with whoever uses it',
  role: 'operator',
  response: mediaSourceSchema,
  secretAnswer: true,
  errors: ['source_not_found', 'source_is_pulled', 'publish_key_unused', ...serverErrors]
})

export const getLiveSnapshot = defineEndpoint({
  ...ofSource,
  name: 'getLiveSnapshot',
  method: 'GET',
  path: '/api/v1/sources/{sourceId}/snapshot',
  summary:
    'A picture of a stream, some seconds old at most while it runs; `Last-Modified` says when it was taken. Empty where there is none',
  role: 'viewer',
  query: z.object({ v: z.string().max(64).optional() }),
  response: 'bytes',
  alsoAnswers: { 204: 'There is no picture' },
  errors: ['invalid_request', 'source_not_found']
})

const watchErrors = ['source_disabled', 'stream_not_available', 'protocol_not_available', ...serverErrors] as const
const hlsFileSchema = z.string().regex(/^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}$/)

export const getHlsFile = defineEndpoint({
  ...ofSource,
  name: 'getHlsFile',
  method: 'GET',
  path: '/api/v1/sources/{sourceId}/hls/{file}',
  summary: 'HLS of a stream, through the base: begin with `index.m3u8`',
  role: 'viewer',
  params: sourceParams.extend({ file: hlsFileSchema }),
  response: 'bytes',
  errors: ['invalid_request', 'source_not_found', ...watchErrors]
})

const sessionSchema = z.string().regex(/^[A-Za-z0-9-]{1,128}$/)

export const openWhep = defineEndpoint({
  ...ofSource,
  name: 'openWhep',
  method: 'POST',
  path: '/api/v1/sources/{sourceId}/whep',
  summary: 'Watch a stream by WebRTC (WHEP): an offer for an answer; `Location` is the session',
  role: 'viewer',
  rawBody: 'application/sdp',
  response: 'bytes',
  alsoAnswers: { 201: 'The answer (SDP); `Location` is the session' },
  errors: ['source_not_found', 'payload_too_large', ...watchErrors]
})

export const trickleWhep = defineEndpoint({
  ...ofSource,
  name: 'trickleWhep',
  method: 'PATCH',
  path: '/api/v1/sources/{sourceId}/whep/{session}',
  summary: 'Tell a WebRTC session more ways to reach the viewer',
  role: 'viewer',
  params: sourceParams.extend({ session: sessionSchema }),
  rawBody: 'application/trickle-ice-sdpfrag',
  response: 'empty',
  errors: ['source_not_found', 'payload_too_large', ...watchErrors]
})

export const closeWhep = defineEndpoint({
  ...ofSource,
  name: 'closeWhep',
  method: 'DELETE',
  path: '/api/v1/sources/{sourceId}/whep/{session}',
  summary: 'End a WebRTC session',
  role: 'viewer',
  params: sourceParams.extend({ session: sessionSchema }),
  response: 'empty',
  errors: ['source_not_found', ...watchErrors]
})

export const getMediaServer = defineEndpoint({
  name: 'getMediaServer',
  method: 'GET',
  path: '/api/v1/media-server',
  tag: 'Sources',
  summary: 'How the base gets on with its media server',
  role: 'viewer',
  forScopedTokens: true,
  response: mediaServerSchema,
  errors: []
})

export const sourcesContract = [
  listSources,
  createSource,
  getSource,
  updateSource,
  deleteSource,
  enableSource,
  disableSource,
  getSourceStatus,
  previewSource,
  isPreviewReady,
  replacePublishKey,
  getLiveSnapshot,
  getHlsFile,
  openWhep,
  trickleWhep,
  closeWhep,
  getMediaServer
]
