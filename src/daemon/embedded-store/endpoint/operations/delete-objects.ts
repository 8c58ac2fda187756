import { CHECKSUM_ALGORITHMS, checksumHeader } from '../checksums.ts'
import { S3Error } from '../s3-error.ts'
import { toS3Error } from '../storage-errors.ts'
import { childrenOf, childText, type XmlElement } from '../xml-reader.ts'
import { s3Document, type XmlNode } from '../xml-writer.ts'
import { assertNullVersion, deleteIfMatching } from './objects.ts'
import type { Operation, OperationContext } from './operation.ts'

const MAX_KEYS = 1000

export const deleteObjects: Operation = {
  name: 'DeleteObjects',
  method: 'POST',
  level: 'bucket',
  subresources: ['delete'],
  body: 'xml',
  judgesEntries: true,
  access: () => [],
  async handle(context) {
    assertIntegrity(context)
    const root = context.xmlBody('Delete')
    const objects = childrenOf(root, 'Object')
    if (objects.length === 0 || objects.length > MAX_KEYS)
      throw new S3Error('MalformedXML', { message: `Between 1 and ${MAX_KEYS} objects must be listed.` })
    const quiet = childText(root, 'Quiet')?.trim() === 'true'
    // Together, so that the engine can share one commit.
    const results = await Promise.all(objects.map((object) => deleteOne(context, object)))
    const missingBucket = results.find(({ error }) => error?.code === 'NoSuchBucket')?.error
    if (missingBucket !== undefined) throw missingBucket
    return {
      status: 200,
      body: s3Document(
        'DeleteResult',
        results.flatMap((result) => resultNodes(result, quiet))
      )
    }
  }
}

/** A batch delete that was damaged on the way would be a disaster, so something must bind the body. */
function assertIntegrity({ headers, payloadHash }: OperationContext): void {
  const isBound =
    headers.has('content-md5') ||
    CHECKSUM_ALGORITHMS.some((algorithm) => headers.has(checksumHeader(algorithm))) ||
    payloadHash !== 'UNSIGNED-PAYLOAD'
  if (!isBound)
    throw new S3Error('InvalidRequest', {
      message: 'Missing required header for this request: Content-MD5 or x-amz-checksum-*.'
    })
}

type DeleteResult = { key: string; versionId: string | undefined; error?: S3Error }

async function deleteOne(context: OperationContext, object: XmlElement): Promise<DeleteResult> {
  const { engine, bucket } = context
  const key = childText(object, 'Key') ?? ''
  const versionId = childText(object, 'VersionId')
  const result = { key, versionId }
  try {
    if (key === '') throw new S3Error('MalformedXML', { message: 'Every object needs a Key.' })
    assertNullVersion(versionId)
    if (!context.allows({ action: 's3:DeleteObject', resource: `${bucket}/${key}` })) throw new S3Error('AccessDenied')
    await context.assertBucket()
    if (childText(object, 'LastModifiedTime') !== undefined || childText(object, 'Size') !== undefined)
      throw new S3Error('NotImplemented')
    await deleteIfMatching(engine, bucket, key, childText(object, 'ETag'))
    return result
  } catch (error) {
    return { ...result, error: toS3Error(error) }
  }
}

function resultNodes({ key, versionId, error }: DeleteResult, quiet: boolean): XmlNode[] {
  const subject: XmlNode[] = [
    ['Key', key],
    ['VersionId', versionId]
  ]
  if (error !== undefined) return [['Error', [...subject, ['Code', error.code], ['Message', error.message]]]]
  return quiet ? [] : [['Deleted', subject]]
}
