import { z } from 'zod'
import { defineEndpoint } from '../endpoint.ts'
import { assetDetailSchema, tagSchema } from './assets.ts'
import { idSchema } from './common.ts'
import { getPlaybackUrl, listRecordingSessions, recordStatusSchema } from './recordings.ts'
import { serverErrors, streamPreviewSchema, streamStatusSchema } from './sources.ts'
import { DEFAULT_WORKSPACE } from './uploads.ts'
import { workspaceIdSchema } from './workspaces.ts'

/** An asset that is a stream: what it shows is not kept in it but comes from its source. */
export const streamAssetSchema = assetDetailSchema
  .extend({
    type: z.literal('stream'),
    source_type: z.literal('live'),
    source_id: idSchema,
    /** The name of the media server's path. */
    path: z.string()
  })
  .meta({ id: 'StreamAsset' })

const common = {
  type: z.literal('stream'),
  source_type: z.literal('live').default('live'),
  name: z.string().trim().min(1).max(255),
  tags: z.array(tagSchema).max(50).default([])
}

export const createStreamAsset = defineEndpoint({
  name: 'createStreamAsset',
  method: 'POST',
  path: '/api/v1/assets',
  tag: 'Sources',
  summary: 'Make an asset of a stream: of a new one (`stream_url`), or of a source that is there (`source_id`)',
  role: 'operator',
  forScopedTokens: true,
  body: z.union([
    z.strictObject({
      ...common,
      stream_url: z.string().min(1).max(1024),
      workspaceId: workspaceIdSchema.default(DEFAULT_WORKSPACE)
    }),
    z.strictObject({ ...common, source_id: idSchema, path: z.string().max(255).optional() })
  ]),
  response: streamAssetSchema,
  errors: [
    'invalid_request',
    'pull_url_refused',
    'workspace_not_found',
    'source_not_found',
    'path_exists',
    'store_unreachable',
    'store_full',
    ...serverErrors
  ]
})

const ofAsset = { tag: 'Sources', forScopedTokens: true, params: z.object({ assetId: idSchema }) } as const
const errors = ['asset_not_found', 'asset_not_stream'] as const

export const previewAsset = defineEndpoint({
  ...ofAsset,
  name: 'previewAsset',
  method: 'GET',
  path: '/api/v1/assets/{assetId}/preview',
  summary: 'Addresses to watch the stream of an asset at',
  role: 'viewer',
  response: streamPreviewSchema,
  errors
})

export const getAssetStreamStatus = defineEndpoint({
  ...ofAsset,
  name: 'getAssetStreamStatus',
  method: 'GET',
  path: '/api/v1/assets/{assetId}/stream/status',
  summary: 'What the media server says of the stream of an asset now',
  role: 'viewer',
  response: streamStatusSchema,
  errors: [...errors, ...serverErrors]
})

export const startAssetRecording = defineEndpoint({
  ...ofAsset,
  name: 'startAssetRecording',
  method: 'POST',
  path: '/api/v1/assets/{assetId}/stream/record/start',
  summary: 'Record the stream of an asset',
  role: 'operator',
  response: recordStatusSchema,
  errors: [...errors, 'source_disabled', ...serverErrors]
})

export const stopAssetRecording = defineEndpoint({
  ...ofAsset,
  name: 'stopAssetRecording',
  method: 'POST',
  path: '/api/v1/assets/{assetId}/stream/record/stop',
  summary: 'Stop recording the stream of an asset',
  role: 'operator',
  response: recordStatusSchema,
  errors: [...errors, ...serverErrors]
})

export const getAssetRecordStatus = defineEndpoint({
  ...ofAsset,
  name: 'getAssetRecordStatus',
  method: 'GET',
  path: '/api/v1/assets/{assetId}/stream/record/status',
  summary: 'Whether the stream of an asset shall be recorded, and whether it is',
  role: 'viewer',
  response: recordStatusSchema,
  errors: [...errors, ...serverErrors]
})

export const listAssetRecordings = defineEndpoint({
  ...ofAsset,
  name: 'listAssetRecordings',
  method: 'GET',
  path: '/api/v1/assets/{assetId}/stream/recordings',
  summary: 'What was recorded of the stream of an asset',
  role: 'viewer',
  query: listRecordingSessions.query!,
  response: listRecordingSessions.response,
  errors: ['invalid_request', ...errors]
})

export const getAssetPlaybackUrl = defineEndpoint({
  ...ofAsset,
  name: 'getAssetPlaybackUrl',
  method: 'GET',
  path: '/api/v1/assets/{assetId}/stream/playback',
  summary: 'Where a recording of the stream of an asset can be played',
  role: 'viewer',
  query: getPlaybackUrl.query!,
  response: getPlaybackUrl.response,
  errors: ['invalid_request', ...errors, 'recording_not_found']
})

export const streamAssetsContract = [createStreamAsset, previewAsset, getAssetStreamStatus]

export const assetRecordingsContract = [
  startAssetRecording,
  stopAssetRecording,
  getAssetRecordStatus,
  listAssetRecordings,
  getAssetPlaybackUrl
]
