import { z } from 'zod'
import { defineEndpoint } from '../endpoint.ts'
import { idSchema } from './common.ts'
import { fileErrors } from './uploads.ts'

/*
 * The tus resumable upload protocol 1.0 with creation, creation-with-upload, expiration and termination, for any tus client.
 * `Upload-Metadata` has the fields of a form upload; the file's name is `filename` (or `name`), `filetype` is not believed.
 */

export const TUS_PATH = '/api/v1/tus'
/** In the answer to the last bytes, and to questions after that: the asset that the upload became. Its id is the upload's. */
export const ASSET_ID_HEADER = 'Flightcase-Asset-Id'

const version = { 'Tus-Resumable': z.literal('1.0.0') }
const byteCount = z.coerce.number().int().min(0)

const common = { tag: 'Uploads', response: 'empty', params: z.object({ uploadId: idSchema }) } as const
const one = `${TUS_PATH}/{uploadId}` as const
const errors = ['invalid_request', 'tus_version_unsupported', 'store_unreachable'] as const

export const describeTus = defineEndpoint({
  name: 'describeTus',
  method: 'OPTIONS',
  path: TUS_PATH,
  tag: 'Uploads',
  summary: 'tus 1.0: what this server can do',
  role: 'none',
  response: 'empty',
  errors: []
})

export const createTusUpload = defineEndpoint({
  name: 'createTusUpload',
  method: 'POST',
  path: TUS_PATH,
  tag: 'Uploads',
  summary:
    'tus 1.0: begin an upload of Upload-Length bytes, possibly with the first of them; Location says where it goes on',
  role: 'operator',
  forScopedTokens: true,
  headers: z.object({ ...version, 'Upload-Length': byteCount, 'Upload-Metadata': z.string().optional() }),
  rawBody: 'application/offset+octet-stream',
  isRawBodyOptional: true,
  response: 'empty',
  emptyStatus: 201,
  errors: [...errors, ...fileErrors, 'workspace_not_found', 'upload_not_found', 'upload_taken_over', 'store_full']
})

export const getTusUpload = defineEndpoint({
  ...common,
  name: 'getTusUpload',
  method: 'HEAD',
  path: one,
  summary: 'tus 1.0: how many bytes are safe (Upload-Offset)',
  role: 'operator',
  forScopedTokens: true,
  headers: z.object(version),
  emptyStatus: 200,
  errors: [...errors, ...fileErrors, 'workspace_not_found', 'upload_not_found', 'upload_taken_over', 'store_full']
})

export const appendToTusUpload = defineEndpoint({
  ...common,
  name: 'appendToTusUpload',
  method: 'PATCH',
  path: one,
  summary: 'tus 1.0: bytes from Upload-Offset on; the last ones make the asset',
  role: 'operator',
  forScopedTokens: true,
  headers: z.object({ ...version, 'Upload-Offset': byteCount }),
  rawBody: 'application/offset+octet-stream',
  errors: [
    ...errors,
    ...fileErrors,
    'workspace_not_found',
    'upload_not_found',
    'upload_offset_wrong',
    'upload_taken_over',
    'asset_not_found',
    'store_full'
  ]
})

export const endTusUpload = defineEndpoint({
  ...common,
  name: 'endTusUpload',
  method: 'DELETE',
  path: one,
  summary: 'tus 1.0: give an unfinished upload up',
  role: 'operator',
  forScopedTokens: true,
  headers: z.object(version),
  errors: [...errors, 'upload_not_found', 'upload_taken_over']
})

export const tusContract = [describeTus, createTusUpload, getTusUpload, appendToTusUpload, endTusUpload]
