import { s3Document } from '../xml-writer.ts'
import { type Operation, onObject } from './operation.ts'

/** Objects have no tags, and a write with tags is refused. `aws s3 cp` asks for them before it copies a large object on the server. */
export const getObjectTagging: Operation = {
  name: 'GetObjectTagging',
  method: 'GET',
  level: 'object',
  subresources: ['tagging'],
  body: 'none',
  access: onObject('s3:GetObjectTagging'),
  async handle({ engine, bucket, key }) {
    await engine.headObject(bucket, key)
    return { status: 200, body: s3Document('Tagging', [['TagSet', '']]) }
  }
}
