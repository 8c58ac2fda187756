import { corsNodes, parseCorsXml, parseStoredRules } from '../cors.ts'
import { S3Error } from '../s3-error.ts'
import { s3Document } from '../xml-writer.ts'
import { type Operation, onBucket } from './operation.ts'

export const getBucketCors: Operation = {
  name: 'GetBucketCors',
  method: 'GET',
  level: 'bucket',
  subresources: ['cors'],
  body: 'none',
  access: onBucket('s3:GetBucketCORS'),
  async handle({ engine, bucket }) {
    const { corsJson } = await engine.headBucket(bucket)
    if (corsJson === null) throw new S3Error('NoSuchCORSConfiguration', { fields: { BucketName: bucket } })
    return { status: 200, body: s3Document('CORSConfiguration', corsNodes(parseStoredRules(corsJson))) }
  }
}

export const putBucketCors: Operation = {
  name: 'PutBucketCors',
  method: 'PUT',
  level: 'bucket',
  subresources: ['cors'],
  body: 'xml',
  refusesReplay: true,
  access: onBucket('s3:PutBucketCORS'),
  async handle({ engine, bucket, xmlBody }) {
    await engine.setBucketCors(bucket, parseCorsXml(xmlBody('CORSConfiguration')))
    return { status: 200 }
  }
}

export const deleteBucketCors: Operation = {
  name: 'DeleteBucketCors',
  method: 'DELETE',
  level: 'bucket',
  subresources: ['cors'],
  body: 'none',
  refusesReplay: true,
  access: onBucket('s3:PutBucketCORS'),
  async handle({ engine, bucket }) {
    await engine.setBucketCors(bucket, null)
    return { status: 204 }
  }
}
