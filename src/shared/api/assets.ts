import { z } from 'zod'
import { defineEndpoint } from '../endpoint.ts'
import { daySchema, idSchema, instantSchema, pageOf, pageQuery, sha256Schema, wallClockSchema } from './common.ts'
import { jobSchema } from './jobs.ts'
import { heldStates, holderShape, referenceSchema } from './references.ts'

export const assetKinds = ['image', 'video', 'audio', 'document', 'other', 'stream'] as const
export const assetStates = ['uploading', 'pending_reference', 'active', 'binned'] as const

/**
 * Who may read an asset's bytes and previews: `private`, who stored it and admins; `workspace`, every token of its workspace; `signed`,
 * operators; `public`, everyone. Whoever may read can hand out a signed link, which opens it to others.
 */
export const accessPolicies = ['private', 'workspace', 'signed', 'public'] as const
export type AccessPolicy = (typeof accessPolicies)[number]

/** Whether a preview exists; `unavailable` carries the reason in `previewProblem`. */
export const previewStates = ['pending', 'ready', 'unavailable'] as const

/** Why no preview can be had, or what is wrong with the bytes; words for people live in the renderer. */
export const mediaProblems = [
  'unreadable',
  'truncated',
  'corrupt',
  'too_many_pixels',
  'ffmpeg_missing',
  'unsupported_type',
  'bytes_missing',
  'bytes_changed'
] as const
export type MediaProblem = (typeof mediaProblems)[number]

/** Damage that arose in the store, as against a file that already came that way. */
export const storedDamage = ['bytes_missing', 'bytes_changed'] as const satisfies readonly MediaProblem[]

/** Where an asset came from: a controller, or an application (or person) that uploaded it. */
export const assetSources = ['pilot', 'upload'] as const

/** Characters of a tag at most. */
export const MAX_TAG_LENGTH = 64

/** What people call a group of assets. */
export const tagSchema = z
  .string()
  .normalize()
  .trim()
  .min(1)
  .max(MAX_TAG_LENGTH)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'must not hold control characters')

/** What somebody thinks of an asset's content; `pending` while somebody looks at it. */
export const moderationStates = ['pending', 'approved', 'rejected'] as const

/** An asset as the grid shows it. Sizes are bytes, dimensions pixels, durations milliseconds. */
export const assetSummarySchema = z
  .object({
    id: idSchema,
    workspaceId: z.string(),
    name: z.string(),
    kind: z.enum(assetKinds),
    mimeType: z.string(),
    state: z.enum(assetStates),
    sizeBytes: z.int().min(0),
    takenAt: instantSchema,
    /** The clock where it was taken; by the zone of the base while `takenZoneKnown` is false. */
    takenLocal: wallClockSchema,
    takenDay: daySchema,
    takenZoneKnown: z.boolean(),
    receivedAt: instantSchema,
    /** When it was moved to the bin; null while it is not there. */
    binnedAt: instantSchema.nullable(),
    width: z.int().nullable(),
    height: z.int().nullable(),
    durationMs: z.int().nullable(),
    deviceId: z.string().nullable(),
    flightId: z.string().nullable(),
    source: z.enum(assetSources),
    /** Null while nobody judged it. */
    moderation: z.enum(moderationStates).nullable(),
    preview: z.enum(previewStates),
    previewProblem: z.enum(mediaProblems).nullable(),
    /** Set when the stored bytes are not what they should be. */
    damage: z.enum(mediaProblems).nullable()
  })
  .meta({ id: 'AssetSummary' })
export type AssetSummary = z.infer<typeof assetSummarySchema>

/** What the file says about how it was taken. Angles are degrees, altitudes and distances metres. */
export const captureDataSchema = z
  .object({
    cameraMake: z.string().nullable(),
    cameraModel: z.string().nullable(),
    cameraSerial: z.string().nullable(),
    droneModel: z.string().nullable(),
    droneSerial: z.string().nullable(),
    latitude: z.number().nullable(),
    longitude: z.number().nullable(),
    absoluteAltitudeM: z.number().nullable(),
    relativeAltitudeM: z.number().nullable(),
    gimbalYawDeg: z.number().nullable(),
    gimbalPitchDeg: z.number().nullable(),
    gimbalRollDeg: z.number().nullable(),
    flightYawDeg: z.number().nullable(),
    flightPitchDeg: z.number().nullable(),
    flightRollDeg: z.number().nullable(),
    exposureTimeS: z.number().nullable(),
    fNumber: z.number().nullable(),
    iso: z.number().nullable(),
    focalLengthMm: z.number().nullable(),
    videoCodec: z.string().nullable(),
    frameRate: z.number().nullable(),
    /** `+08:00` when the camera or the controller told the zone, else null. */
    zoneOffset: z.string().nullable()
  })
  .meta({ id: 'CaptureData' })
export type CaptureData = z.infer<typeof captureDataSchema>

export const renditionSchema = z
  .object({
    name: z.string(),
    format: z.string(),
    width: z.int(),
    height: z.int(),
    sizeBytes: z.int()
  })
  .meta({ id: 'Rendition' })

export const assetEventSchema = z
  .object({ seq: z.int(), type: z.string(), at: instantSchema, data: z.record(z.string(), z.unknown()) })
  .meta({ id: 'AssetEvent' })

/** One asset with everything known about it. */
export const assetDetailSchema = assetSummarySchema
  .extend({
    path: z.string(),
    objectKey: z.string(),
    sha256: z.string().nullable(),
    /** Assets sharing these bytes, this one included. */
    copies: z.int(),
    access: z.enum(accessPolicies),
    /** How long browsers and CDNs may keep its bytes without asking again; null for the default. */
    cacheSeconds: z.int().nullable(),
    /** Who stored it: the `id` of an audit actor. Null for controllers. */
    ownerId: z.string().nullable(),
    /** Its bytes are quarantined: nobody can read them. */
    isQuarantined: z.boolean(),
    /** When it went to the archive because nothing holds it; null while it is not there. */
    archivedAt: instantSchema.nullable(),
    /** Where its bytes are kept: `cold` is the archive. Reading them is the same. */
    tier: z.enum(['hot', 'cold']),
    /** How many strong references hold it. */
    refCount: z.int(),
    /** Ascending. */
    tags: z.array(z.string()),
    /** What applications noted here. */
    metadata: z.record(z.string(), z.unknown()),
    moderationLabels: z.array(z.string()),
    moderationNote: z.string().nullable(),
    moderatedAt: instantSchema.nullable(),
    /** Grows with every change by `updateAsset` and the like; for `ifRevision`. */
    revision: z.int(),
    capture: captureDataSchema,
    deviceName: z.string().nullable(),
    flightName: z.string().nullable(),
    /** The oldest of them; `listReferences` gives all. */
    references: z.array(referenceSchema),
    referenceTotal: z.int(),
    renditions: z.array(renditionSchema),
    jobs: z.array(jobSchema),
    events: z.array(assetEventSchema)
  })
  .meta({ id: 'AssetDetail' })
export type AssetDetail = z.infer<typeof assetDetailSchema>

/** `west,south,east,north` in degrees; west of the date line to east of it where west is the greater (RFC 7946 §5). */
const bboxText = /^-?\d{1,3}(\.\d{1,12})?(,-?\d{1,3}(\.\d{1,12})?){3}$/
const bboxSchema = z
  .string()
  .regex(bboxText, 'must be west,south,east,north in degrees')
  .transform((text) => {
    const [west, south, east, north] = text.split(',').map(Number) as [number, number, number, number]
    return { west, south, east, north }
  })
  .refine(
    ({ west, south, east, north }) =>
      Math.max(Math.abs(west), Math.abs(east)) <= 180 && south >= -90 && south <= north && north <= 90,
    'must lie on the globe, south before north'
  )
  .meta({ type: 'string', pattern: bboxText.source, description: 'west,south,east,north in degrees' })

/** Tags that are offered to choose from. */
export const MAX_FACET_TAGS = 500

const assetParams = z.object({ assetId: idSchema })

export const listAssets = defineEndpoint({
  name: 'listAssets',
  method: 'GET',
  path: '/api/v1/assets',
  tag: 'Assets',
  summary: 'List assets, newest first',
  role: 'viewer',
  forScopedTokens: true,
  query: z
    .object({
      ...pageQuery,
      deviceId: z.string().max(128).optional(),
      flightId: z.string().max(128).optional(),
      day: daySchema.optional(),
      kind: z.enum(assetKinds).optional(),
      mimeType: z.string().max(128).optional(),
      /** Those with these bytes; hex. */
      sha256: sha256Schema.optional(),
      source: z.enum(assetSources).optional(),
      state: z.enum(heldStates).exclude(['binned']).optional(),
      moderation: z.enum(moderationStates).optional(),
      /** Whether the stored bytes are not what they should be. */
      damaged: z.stringbool().optional(),
      tag: tagSchema.optional(),
      /** Used by somebody in this namespace, and by this owner there. */
      namespace: holderShape.namespace.optional(),
      owner: holderShape.owner,
      /** Words that the name contains, each somewhere, in any order. */
      text: z
        .string()
        .normalize()
        .trim()
        .max(200)
        .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'must not hold control characters')
        .optional(),
      takenFrom: instantSchema.optional(),
      /** The first instant that does not count any more. */
      takenBefore: instantSchema.optional(),
      bbox: bboxSchema.optional(),
      bin: z.stringbool().default(false)
    })
    .refine((query) => query.owner === undefined || query.namespace !== undefined, {
      path: ['owner'],
      message: 'needs the namespace that the owner belongs to'
    }),
  response: pageOf(assetSummarySchema),
  errors: ['invalid_request']
})

/** What the filters can offer: values that occur, newest days first. */
export const listAssetFacets = defineEndpoint({
  name: 'listAssetFacets',
  method: 'GET',
  path: '/api/v1/assets/facets',
  tag: 'Assets',
  summary: 'Devices, days, kinds and tags that occur',
  role: 'viewer',
  forScopedTokens: true,
  response: z.object({
    days: z.array(daySchema),
    kinds: z.array(z.enum(assetKinds)),
    /** The first ones, ascending. */
    tags: z.array(z.string()).max(MAX_FACET_TAGS),
    devices: z.array(
      z.object({ id: z.string(), name: z.string(), serial: z.string().nullable(), modelName: z.string().nullable() })
    )
  }),
  errors: []
})

export const getAsset = defineEndpoint({
  name: 'getAsset',
  method: 'GET',
  path: '/api/v1/assets/{assetId}',
  tag: 'Assets',
  summary: 'One asset with references, renditions, jobs and events',
  role: 'viewer',
  forScopedTokens: true,
  params: assetParams,
  response: assetDetailSchema,
  errors: ['asset_not_found']
})

export const deleteAsset = defineEndpoint({
  name: 'deleteAsset',
  method: 'DELETE',
  path: '/api/v1/assets/{assetId}',
  tag: 'Assets',
  summary:
    'Move an asset to the bin. While several strong references hold it, only the one of the caller is removed (named by its id or its holder); with guard=true nothing is, with force=true (admins only) the asset goes all the same. With permanent=true (admins only), delete it from the bin for good',
  role: 'operator',
  forScopedTokens: true,
  params: assetParams,
  query: z.object({
    guard: z.stringbool().default(false),
    force: z.stringbool().default(false),
    permanent: z.stringbool().default(false),
    referenceId: idSchema.optional(),
    namespace: holderShape.namespace.optional(),
    owner: holderShape.owner,
    externalId: holderShape.externalId
  }),
  response: z.object({
    outcome: z.enum(['reference_removed', 'binned', 'purged']),
    refCount: z.int()
  }),
  errors: ['asset_not_found', 'asset_in_use', 'asset_not_binned', 'reference_not_found']
})

export const restoreAsset = defineEndpoint({
  name: 'restoreAsset',
  method: 'POST',
  path: '/api/v1/assets/{assetId}/restore',
  tag: 'Assets',
  summary: 'Bring an asset back from the bin',
  role: 'operator',
  forScopedTokens: true,
  params: assetParams,
  response: z.object({ refCount: z.int(), state: z.enum(heldStates) }),
  errors: ['asset_not_found', 'asset_not_binned']
})

/** What `getFileUrl` adds to an address so that it opens without a token; it holds for exactly this address. */
const linkQuery = {
  /** Seconds since the epoch. */
  expires: z.string().max(16).optional(),
  key: z.string().max(64).optional(),
  signature: z.string().max(64).optional()
}

/** Why an address that opens without a token, too, may be refused. */
const readRefusals = [
  'unauthenticated',
  'forbidden',
  'link_invalid',
  'link_expired',
  'referer_refused',
  'asset_not_found',
  'blob_quarantined'
] as const

export const getMedia = defineEndpoint({
  name: 'getMedia',
  method: 'GET',
  path: '/media/{assetId}',
  tag: 'Delivery',
  summary:
    'The original bytes, with a token, by a signed link, or where they are public; ranges, conditional requests, `download=true` for a save dialog',
  role: 'none',
  params: assetParams,
  query: z.object({ download: z.stringbool().default(false), ...linkQuery }),
  response: 'bytes',
  errors: [
    ...readRefusals,
    'asset_bytes_missing',
    'asset_damaged',
    'range_not_satisfiable',
    'precondition_failed',
    'store_unreachable'
  ]
})

/** Longest sides a preview picture can be had in. */
export const thumbnailSizesPx = [64, 128, 256, 512, 1024, 2048] as const
/** Those that are made of every picture and film ahead. */
export const previewSizesPx = [256, 1024] as const

export const getThumbnail = defineEndpoint({
  name: 'getThumbnail',
  method: 'GET',
  path: '/thumbnail/{sizePx}/{assetId}',
  tag: 'Delivery',
  summary:
    'A preview picture in the best format the Accept header allows (AVIF, WebP, JPEG); opens as the original does',
  role: 'none',
  params: z.object({
    sizePx: z.coerce.number().pipe(z.union(thumbnailSizesPx.map((size) => z.literal(size)))),
    assetId: idSchema
  }),
  /** Any `v` names a version: the answer may then be kept for good. */
  query: z.object({ v: z.string().max(64).optional(), ...linkQuery }),
  response: 'bytes',
  errors: [
    ...readRefusals,
    'rendition_not_available',
    'range_not_satisfiable',
    'precondition_failed',
    'store_unreachable',
    'store_full'
  ]
})

export const assetsContract = [listAssets, listAssetFacets, getAsset, deleteAsset, restoreAsset, getMedia, getThumbnail]
