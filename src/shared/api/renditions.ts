import { z } from 'zod'
import { defineEndpoint } from '../endpoint.ts'
import { mediaProblems, renditionSchema, thumbnailSizesPx } from './assets.ts'
import { idSchema } from './common.ts'

/**
 * Everything that can be made of an asset. Numbers: a picture (of a film: one frame) with that longest side. `strip`: an
 * animated WebP of moments of a film. `proxy`: the film as an H.264 MP4 that every browser plays. `hls`: the same as HLS.
 */
export const renditionNames = [
  ...thumbnailSizesPx.map((sizePx) => String(sizePx) as `${typeof sizePx}`),
  'strip',
  'proxy',
  'hls'
] as const
export type RenditionName = (typeof renditionNames)[number]

/**
 * `absent`: nobody asked for it yet. `failed`: given up after several attempts; asking again starts anew. `unavailable`:
 * cannot be had, `problem` tells why.
 */
export const renditionStates = ['ready', 'queued', 'running', 'absent', 'failed', 'unavailable'] as const

/** Beyond what can be wrong with the bytes: the configuration forbids it. */
export const renditionProblems = [...mediaProblems, 'switched_off'] as const
export type RenditionProblem = (typeof renditionProblems)[number]

export const renditionStatusSchema = z
  .object({
    name: z.enum(renditionNames),
    state: z.enum(renditionStates),
    problem: z.enum(renditionProblems).nullable(),
    /** The job that makes it, or failed to. */
    jobId: idSchema.nullable(),
    /** 0 to 1; null while unknown. */
    progress: z.number().nullable(),
    /** Where to get it once it is ready. */
    path: z.string(),
    /** What is stored of it. */
    files: z.array(renditionSchema)
  })
  .meta({ id: 'RenditionStatus' })
export type RenditionStatus = z.infer<typeof renditionStatusSchema>

/** Why the bytes of a rendition may be refused. */
const bytesRefusals = [
  'asset_not_found',
  'forbidden',
  'blob_quarantined',
  'rendition_not_available',
  'range_not_satisfiable',
  'precondition_failed',
  'store_unreachable'
] as const

const assetParams = z.object({ assetId: idSchema })

export const listRenditions = defineEndpoint({
  name: 'listRenditions',
  method: 'GET',
  path: '/api/v1/assets/{assetId}/renditions',
  tag: 'Renditions',
  summary: 'What can be made of an asset and how far each is; empty for what is neither picture nor film',
  role: 'viewer',
  forScopedTokens: true,
  params: assetParams,
  response: z.object({ items: z.array(renditionStatusSchema) }),
  errors: ['asset_not_found']
})

export const requestRendition = defineEndpoint({
  name: 'requestRendition',
  method: 'POST',
  path: '/api/v1/assets/{assetId}/renditions',
  tag: 'Renditions',
  summary:
    'Have a rendition made unless it is there. Answers at once with its state; asking again while it is made changes nothing. interactive=true puts it before all work that nobody waits for',
  role: 'viewer',
  forScopedTokens: true,
  params: assetParams,
  body: z.object({ name: z.enum(renditionNames), interactive: z.boolean().default(false) }),
  response: renditionStatusSchema,
  errors: ['asset_not_found', 'rendition_not_available']
})

export const getRendition = defineEndpoint({
  name: 'getRendition',
  method: 'GET',
  path: '/api/v1/assets/{assetId}/renditions/{name}',
  tag: 'Renditions',
  summary: 'The bytes of a rendition: pictures in the format the Accept header prefers, films by range',
  role: 'viewer',
  forScopedTokens: true,
  params: assetParams.extend({ name: z.enum(renditionNames).exclude(['hls']) }),
  response: 'bytes',
  errors: [...bytesRefusals, 'store_full']
})

/** The playlist names the other file relative to itself and cuts it into segments by byte ranges. */
export const hlsFiles = ['index.m3u8', 'media.mp4'] as const

export const getHls = defineEndpoint({
  name: 'getHls',
  method: 'GET',
  path: '/api/v1/assets/{assetId}/hls/{file}',
  tag: 'Renditions',
  summary: 'The HLS rendition (RFC 8216): the playlist index.m3u8 and the fragmented MP4 its segments are ranges of',
  role: 'viewer',
  forScopedTokens: true,
  params: assetParams.extend({ file: z.enum(hlsFiles) }),
  response: 'bytes',
  errors: bytesRefusals
})

export const renditionsContract = [listRenditions, requestRendition, getRendition, getHls]
