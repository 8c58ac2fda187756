import { invalidArgument, S3Error } from '../s3-error.ts'
import { childText } from '../xml-reader.ts'
import { s3Document, type XmlNode } from '../xml-writer.ts'
import { owner } from './listing.ts'
import { assertSupportedHeaders, xmlTime } from './object-headers.ts'
import { type Operation, onBucket } from './operation.ts'

export const listBuckets: Operation = {
  name: 'ListBuckets',
  method: 'GET',
  level: 'service',
  body: 'none',
  // A caller sees the buckets it may list.
  judgesEntries: true,
  access: () => [],
  async handle(context) {
    const { engine, query, caller } = context
    const prefix = query.get('prefix') ?? ''
    const after = decodeBucketToken(query.get('continuation-token'))
    const limit = parseMaxBuckets(query.get('max-buckets'))
    const all = await engine.listBuckets({ prefix, after })
    const maySeeAll = context.mayPossibly({ action: 's3:ListAllMyBuckets', resource: '' })
    const visible = all.filter(
      ({ name }) => maySeeAll || context.mayPossibly({ action: 's3:ListBucket', resource: name })
    )
    if (visible.length === 0 && !context.allows({ action: 's3:ListAllMyBuckets', resource: '' }))
      throw new S3Error('AccessDenied')
    const page = visible.slice(0, limit)
    const last = page.at(-1)
    return {
      status: 200,
      body: s3Document('ListAllMyBucketsResult', [
        owner(caller.user.ownerId),
        [
          'Buckets',
          page.map(
            ({ name, createdAtMs }): XmlNode => [
              'Bucket',
              [
                ['Name', name],
                ['CreationDate', xmlTime(createdAtMs)]
              ]
            ]
          )
        ],
        ['Prefix', query.get('prefix')],
        [
          'ContinuationToken',
          visible.length > page.length && last ? Buffer.from(last.name).toString('base64url') : undefined
        ]
      ])
    }
  }
}

function parseMaxBuckets(value: string | undefined): number {
  if (value === undefined) return 10_000
  const number = /^\d{1,5}$/.test(value) ? Number(value) : 0
  if (number < 1 || number > 10_000) throw invalidArgument('max-buckets', value)
  return number
}

function decodeBucketToken(token: string | undefined): string {
  return token === undefined ? '' : Buffer.from(token, 'base64url').toString('utf8')
}

export const createBucket: Operation = {
  name: 'CreateBucket',
  method: 'PUT',
  level: 'bucket',
  body: 'xml',
  bodyOptional: true,
  makesBucket: true,
  refusesReplay: true,
  access: onBucket('s3:CreateBucket'),
  async handle({ engine, bucket, headers, region, caller, xmlBody, hasBody }) {
    assertSupportedHeaders(headers)
    const location = hasBody ? childText(xmlBody('CreateBucketConfiguration'), 'LocationConstraint') : undefined
    if (location !== undefined && location !== '' && location !== region)
      throw new S3Error('IllegalLocationConstraintException', { fields: { LocationConstraint: location.slice(0, 64) } })
    await engine.createBucket({ name: bucket, owner: caller.user.ownerId })
    return { status: 200, headers: { location: `/${bucket}` } }
  }
}

export const headBucket: Operation = {
  name: 'HeadBucket',
  method: 'HEAD',
  level: 'bucket',
  body: 'none',
  access: onBucket('s3:ListBucket'),
  async handle({ engine, bucket, region }) {
    await engine.headBucket(bucket)
    return { status: 200, headers: { 'x-amz-bucket-region': region } }
  }
}

export const deleteBucket: Operation = {
  name: 'DeleteBucket',
  method: 'DELETE',
  level: 'bucket',
  body: 'none',
  refusesReplay: true,
  access: onBucket('s3:DeleteBucket'),
  async handle({ engine, bucket }) {
    await engine.deleteBucket(bucket)
    return { status: 204 }
  }
}

export const getBucketLocation: Operation = {
  name: 'GetBucketLocation',
  method: 'GET',
  level: 'bucket',
  subresources: ['location'],
  body: 'none',
  access: onBucket('s3:GetBucketLocation'),
  async handle({ engine, bucket, region }) {
    await engine.headBucket(bucket)
    // The default region has no name in this answer.
    return { status: 200, body: s3Document('LocationConstraint', region === 'us-east-1' ? '' : region) }
  }
}

export const getBucketVersioning: Operation = {
  name: 'GetBucketVersioning',
  method: 'GET',
  level: 'bucket',
  subresources: ['versioning'],
  body: 'none',
  access: onBucket('s3:GetBucketVersioning'),
  async handle({ engine, bucket }) {
    await engine.headBucket(bucket)
    return { status: 200, body: s3Document('VersioningConfiguration', []) }
  }
}

/** The browser's form upload is recognised so that it is refused by name. */
export const postObject: Operation = {
  name: 'PostObject',
  method: 'POST',
  level: 'bucket',
  body: 'none',
  access: onBucket('s3:PutObject'),
  async handle() {
    throw new S3Error('NotImplemented', { message: 'Form uploads are not supported; use a presigned PUT.' })
  }
}
