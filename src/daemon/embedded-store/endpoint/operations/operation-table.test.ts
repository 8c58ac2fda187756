import { describe, expect, it } from 'vitest'
import type { Credential } from '../../credentials/identity-service.ts'
import { parseRequestTarget, parseResourceName } from '../request-target.ts'
import { findOperation, OPERATIONS } from './operation-table.ts'

const caller: Credential = {
  accessKeyId: 'AK',
  secretAccessKey: '',
  user: { accessKeyId: 'AK', name: 'u', ownerId: 'o', canAssume: false, createdAtMs: 0, disabledAtMs: null },
  session: null,
  policies: []
}

/** The operation a request asks for and what its caller must be allowed to do. */
function resolve(method: string, target: string, headers: Record<string, string> = {}) {
  const { rawPath, query } = parseRequestTarget(target)
  const name = parseResourceName(rawPath)
  const request = {
    bucket: name.level === 'service' ? '' : name.bucket,
    key: name.level === 'object' ? name.key : '',
    query,
    headers: new Map(Object.entries(headers)),
    caller
  }
  const operation = findOperation(method, name, query, request.headers)
  return { name: operation.name, access: operation.access(request).map((one) => `${one.action} ${one.resource}`) }
}

const COPY = { 'x-amz-copy-source': '/src/a%20b' }
const TABLE: [method: string, target: string, headers: Record<string, string>, name: string, access: string[]][] = [
  ['GET', '/', {}, 'ListBuckets', []],
  ['PUT', '/bkt/', {}, 'CreateBucket', ['s3:CreateBucket bkt']],
  ['HEAD', '/bkt', {}, 'HeadBucket', ['s3:ListBucket bkt']],
  ['DELETE', '/bkt', {}, 'DeleteBucket', ['s3:DeleteBucket bkt']],
  ['GET', '/bkt?location', {}, 'GetBucketLocation', ['s3:GetBucketLocation bkt']],
  ['GET', '/bkt?versioning', {}, 'GetBucketVersioning', ['s3:GetBucketVersioning bkt']],
  ['GET', '/bkt?acl', {}, 'GetBucketAcl', ['s3:GetBucketAcl bkt']],
  ['PUT', '/bkt?acl', {}, 'PutBucketAcl', ['s3:PutBucketAcl bkt']],
  ['GET', '/bkt?cors', {}, 'GetBucketCors', ['s3:GetBucketCORS bkt']],
  ['PUT', '/bkt?cors=', {}, 'PutBucketCors', ['s3:PutBucketCORS bkt']],
  ['DELETE', '/bkt?cors', {}, 'DeleteBucketCors', ['s3:PutBucketCORS bkt']],
  ['GET', '/bkt?prefix=a', {}, 'ListObjects', ['s3:ListBucket bkt']],
  ['GET', '/bkt?list-type=2', {}, 'ListObjectsV2', ['s3:ListBucket bkt']],
  ['GET', '/bkt?versions&max-keys=1', {}, 'ListObjectVersions', ['s3:ListBucketVersions bkt']],
  ['GET', '/bkt?uploads', {}, 'ListMultipartUploads', ['s3:ListBucketMultipartUploads bkt']],
  ['POST', '/bkt?delete', {}, 'DeleteObjects', []],
  ['POST', '/bkt', {}, 'PostObject', ['s3:PutObject bkt']],
  ['GET', '/bkt/k?partNumber=1', {}, 'GetObject', ['s3:GetObject bkt/k']],
  ['HEAD', '/bkt/k?versionId=null', {}, 'HeadObject', ['s3:GetObject bkt/k']],
  ['PUT', '/bkt/k?x-id=PutObject', {}, 'PutObject', ['s3:PutObject bkt/k']],
  ['PUT', '/bkt/k', COPY, 'CopyObject', ['s3:PutObject bkt/k', 's3:GetObject src/a b']],
  ['DELETE', '/bkt/k', {}, 'DeleteObject', ['s3:DeleteObject bkt/k']],
  ['GET', '/bkt/k?acl', {}, 'GetObjectAcl', ['s3:GetObjectAcl bkt/k']],
  ['PUT', '/bkt/k?acl', {}, 'PutObjectAcl', ['s3:PutObjectAcl bkt/k']],
  ['GET', '/bkt/k?tagging', {}, 'GetObjectTagging', ['s3:GetObjectTagging bkt/k']],
  ['POST', '/bkt/k?uploads=', {}, 'CreateMultipartUpload', ['s3:PutObject bkt/k']],
  ['PUT', '/bkt/k?partNumber=1&uploadId=u', {}, 'UploadPart', ['s3:PutObject bkt/k']],
  ['PUT', '/bkt/k?partNumber=1&uploadId=u', COPY, 'UploadPartCopy', ['s3:PutObject bkt/k', 's3:GetObject src/a b']],
  ['POST', '/bkt/k?uploadId=u', {}, 'CompleteMultipartUpload', ['s3:PutObject bkt/k']],
  ['DELETE', '/bkt/k?uploadId=u', {}, 'AbortMultipartUpload', ['s3:AbortMultipartUpload bkt/k']],
  ['GET', '/bkt/k?uploadId=u', {}, 'ListParts', ['s3:ListMultipartUploadParts bkt/k']]
]

describe('the operation table', () => {
  it.each(TABLE)('%s %s %j is %s and needs %j', (method, target, headers, name, access) => {
    expect(resolve(method, target, headers)).toEqual({ name, access })
  })
  it('is covered here completely', () => {
    expect(new Set(TABLE.map(([, , , name]) => name))).toEqual(new Set(OPERATIONS.map((operation) => operation.name)))
  })
  it.each([
    ['PUT', '/bkt?versioning', 'NotImplemented'],
    ['GET', '/bkt/k?uploads', 'NotImplemented'],
    ['GET', '/bkt?acl&cors', 'NotImplemented'],
    ['DELETE', '/bkt/k?tagging', 'NotImplemented'],
    ['PUT', '/bkt/k?tagging', 'NotImplemented'],
    ['GET', '/bkt/k?attributes', 'NotImplemented'],
    ['POST', '/bkt/k?select&select-type=2', 'NotImplemented'],
    ['PUT', '/bkt/k?partNumber=1', 'NotImplemented'],
    ['POST', '/bkt/k', 'MethodNotAllowed'],
    ['PATCH', '/bkt', 'MethodNotAllowed'],
    ['GET', '/bkt/k?versionId=1', 'InvalidArgument'],
    ['POST', '/?Action=AssumeRole', 'InvalidRequest']
  ])('%s %s is refused with %s', (method, target, code) => {
    expect(() => resolve(method, target)).toThrow(expect.objectContaining({ code }))
  })
})
