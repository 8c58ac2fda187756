import type { StorageEngine } from '../engine/storage-engine.ts'

/** What the endpoint needs of whatever keeps the objects. */
export type ServedStorage = Pick<
  StorageEngine,
  | 'createBucket'
  | 'headBucket'
  | 'listBuckets'
  | 'deleteBucket'
  | 'setBucketCors'
  | 'openBody'
  | 'checkPrecondition'
  | 'putObject'
  | 'headObject'
  | 'openObject'
  | 'deleteObject'
  | 'copyObject'
  | 'listObjects'
  | 'createUpload'
  | 'headUpload'
  | 'putPart'
  | 'copyPart'
  | 'listParts'
  | 'completeUpload'
  | 'abortUpload'
  | 'listUploads'
>
