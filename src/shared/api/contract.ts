import type { Endpoint } from '../endpoint.ts'
import { deleteAsset, getAsset, getMedia, getThumbnail, listAssetFacets, listAssets, restoreAsset } from './assets.ts'
import { streamEvents } from './events.ts'
import { getField } from './field.ts'
import { cancelJob, listJobs, retryJob } from './jobs.ts'
import { collectGarbage, emptyBin, getBin } from './lifecycle.ts'
import { pilotContract } from './pilot.ts'
import {
  createReference,
  createReferences,
  deleteReference,
  deleteReferences,
  findReferences,
  listReferences
} from './references.ts'
import { closeSession, createToken, getStatus, listTokens, openSession, revokeToken } from './system.ts'
import {
  abortUpload,
  beginUpload,
  completeUpload,
  getUpload,
  presignUpload,
  putUploadPart,
  uploadMedia
} from './uploads.ts'

/** Every operation of the admin listener: what OpenAPI documents and what the daemon must bind, no more and no less. */
export const adminContract: readonly Endpoint[] = [
  getField,
  listAssets,
  listAssetFacets,
  getAsset,
  deleteAsset,
  restoreAsset,
  uploadMedia,
  presignUpload,
  beginUpload,
  putUploadPart,
  getUpload,
  completeUpload,
  abortUpload,
  listReferences,
  createReference,
  findReferences,
  createReferences,
  deleteReferences,
  deleteReference,
  getBin,
  emptyBin,
  collectGarbage,
  getMedia,
  getThumbnail,
  listJobs,
  retryJob,
  cancelJob,
  streamEvents,
  openSession,
  closeSession,
  getStatus,
  listTokens,
  createToken,
  revokeToken
]

/** Everything the API document describes. */
export const apiContract: readonly Endpoint[] = [...adminContract, ...pilotContract]
