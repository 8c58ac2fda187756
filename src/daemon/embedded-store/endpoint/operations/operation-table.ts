import type { Headers } from '../headers.ts'
import type { QueryParameters, ResourceName } from '../request-target.ts'
import { S3Error } from '../s3-error.ts'
import { getBucketAcl, getObjectAcl, putBucketAcl, putObjectAcl } from './acl.ts'
import { deleteBucketCors, getBucketCors, putBucketCors } from './bucket-cors.ts'
import {
  createBucket,
  deleteBucket,
  getBucketLocation,
  getBucketVersioning,
  headBucket,
  listBuckets,
  postObject
} from './buckets.ts'
import { copyObject } from './copy-object.ts'
import { deleteObjects } from './delete-objects.ts'
import { listObjects, listObjectsV2, listObjectVersions } from './listing.ts'
import { abortMultipartUpload, completeMultipartUpload, createMultipartUpload, uploadPart } from './multipart.ts'
import { assertNullVersion, deleteObject, getObject, headObject, putObject } from './objects.ts'
import type { Operation } from './operation.ts'
import { getObjectTagging } from './tagging.ts'
import { listMultipartUploads, listParts } from './upload-listing.ts'
import { uploadPartCopy } from './upload-part-copy.ts'

/** Everything the endpoint can do. What a request asks for is found by method, level, sub-resources and copy header. */
export const OPERATIONS: readonly Operation[] = [
  listBuckets,
  createBucket,
  headBucket,
  deleteBucket,
  getBucketLocation,
  getBucketVersioning,
  getBucketAcl,
  putBucketAcl,
  getBucketCors,
  putBucketCors,
  deleteBucketCors,
  listObjects,
  listObjectsV2,
  listObjectVersions,
  listMultipartUploads,
  deleteObjects,
  postObject,
  getObject,
  headObject,
  putObject,
  copyObject,
  deleteObject,
  getObjectAcl,
  putObjectAcl,
  getObjectTagging,
  createMultipartUpload,
  uploadPart,
  uploadPartCopy,
  completeMultipartUpload,
  abortMultipartUpload,
  listParts
]

/** Query parameters that select what a request is about. An operation that does not know one must not run. */
const SUBRESOURCES = [
  ...[
    'acl',
    'cors',
    'delete',
    'list-type',
    'location',
    'partNumber',
    'tagging',
    'uploadId',
    'uploads',
    'versioning',
    'versions'
  ],
  // Recognised, never served.
  ...['accelerate', 'analytics', 'append', 'attributes', 'encryption', 'intelligent-tiering', 'inventory'],
  ...['legal-hold', 'lifecycle', 'logging', 'metadataConfiguration', 'metadataTable', 'metrics', 'notification'],
  ...['object-lock', 'ownershipControls', 'policy', 'policyStatus', 'publicAccessBlock', 'renameObject', 'replication'],
  ...['requestPayment', 'restore', 'retention', 'select', 'session', 'torrent', 'website']
]

/**
 * Finds the operation a request asks for.
 * @throws S3Error NotImplemented for an unknown or unsupported sub-resource, MethodNotAllowed with `Allow` otherwise
 */
export function findOperation(
  method: string,
  { level }: ResourceName,
  query: QueryParameters,
  headers: Headers
): Operation {
  assertNullVersion(query.get('versionId'))
  const asked = SUBRESOURCES.filter((name) => query.has(name))
  const copies = headers.has('x-amz-copy-source')
  const onLevel = OPERATIONS.filter((operation) => operation.level === level)
  const found = onLevel.find(
    ({ method: ownMethod, subresources = [], optional = [], copies: ownCopies = false, body }) =>
      ownMethod === method &&
      // Only where a body could come instead does a copy header choose another operation.
      (ownCopies === copies || (body !== 'object' && !ownCopies)) &&
      subresources.every((name) => asked.includes(name)) &&
      asked.every((name) => subresources.includes(name) || optional.includes(name))
  )
  if (found !== undefined) return found
  if (level === 'service' && query.has('Action'))
    throw new S3Error('InvalidRequest', {
      message: 'STS actions are sent as POST / with a form body (application/x-www-form-urlencoded), not in the query.'
    })
  if (asked.length > 0) throw new S3Error('NotImplemented', { fields: { Resource: asked.join(', ') } })
  const allow = new Set(
    onLevel.filter(({ subresources = [] }) => subresources.length === 0).map((known) => known.method)
  )
  throw new S3Error('MethodNotAllowed', {
    fields: { Method: method.slice(0, 16) },
    headers: { allow: [...allow].join(', ') }
  })
}
