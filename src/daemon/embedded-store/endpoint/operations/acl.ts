import { S3Error } from '../s3-error.ts'
import { childrenOf, childText } from '../xml-reader.ts'
import { s3Document, type XmlNode } from '../xml-writer.ts'
import { owner } from './listing.ts'
import { assertSupportedHeaders } from './object-headers.ts'
import { type Operation, type OperationContext, onBucket, onObject, type S3Response } from './operation.ts'

export const getBucketAcl: Operation = {
  name: 'GetBucketAcl',
  method: 'GET',
  level: 'bucket',
  subresources: ['acl'],
  body: 'none',
  access: onBucket('s3:GetBucketAcl'),
  async handle({ engine, bucket }) {
    return ownerOnlyAcl((await engine.headBucket(bucket)).owner)
  }
}

export const getObjectAcl: Operation = {
  name: 'GetObjectAcl',
  method: 'GET',
  level: 'object',
  subresources: ['acl'],
  body: 'none',
  access: onObject('s3:GetObjectAcl'),
  async handle({ engine, bucket, key }) {
    await engine.headObject(bucket, key)
    return ownerOnlyAcl((await engine.headBucket(bucket)).owner)
  }
}

export const putBucketAcl: Operation = {
  name: 'PutBucketAcl',
  method: 'PUT',
  level: 'bucket',
  subresources: ['acl'],
  body: 'xml',
  bodyOptional: true,
  access: onBucket('s3:PutBucketAcl'),
  async handle(context) {
    assertOwnerOnly(context, (await context.engine.headBucket(context.bucket)).owner)
    return { status: 200 }
  }
}

export const putObjectAcl: Operation = {
  name: 'PutObjectAcl',
  method: 'PUT',
  level: 'object',
  subresources: ['acl'],
  body: 'xml',
  bodyOptional: true,
  access: onObject('s3:PutObjectAcl'),
  async handle(context) {
    await context.engine.headObject(context.bucket, context.key)
    assertOwnerOnly(context, (await context.engine.headBucket(context.bucket)).owner)
    return { status: 200 }
  }
}

/** There is one ACL, "owner only"; setting exactly that is accepted because clients do so by habit or when they copy. */
function assertOwnerOnly({ headers, hasBody, xmlBody }: OperationContext, ownerId: string): void {
  assertSupportedHeaders(headers)
  if (!hasBody && headers.has('x-amz-acl')) return
  const grants = hasBody
    ? childrenOf(xmlBody('AccessControlPolicy'), 'AccessControlList').flatMap((list) => childrenOf(list, 'Grant'))
    : []
  const keepsToOwner = grants.every(
    (grant) =>
      childText(grant, 'Permission') === 'FULL_CONTROL' &&
      childrenOf(grant, 'Grantee').every((grantee) => childText(grantee, 'ID') === ownerId)
  )
  if (grants.length === 0 || !keepsToOwner) throw new S3Error('AccessControlListNotSupported')
}

function ownerOnlyAcl(ownerId: string): S3Response {
  const grantee: XmlNode = [
    'Grantee',
    [
      ['ID', ownerId],
      ['DisplayName', ownerId]
    ],
    { 'xmlns:xsi': 'http://www.w3.org/2001/XMLSchema-instance', 'xsi:type': 'CanonicalUser' }
  ]
  return {
    status: 200,
    body: s3Document('AccessControlPolicy', [
      owner(ownerId),
      ['AccessControlList', [['Grant', [grantee, ['Permission', 'FULL_CONTROL']]]]]
    ])
  }
}
