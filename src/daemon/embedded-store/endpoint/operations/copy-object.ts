import { checksumElement, parseChecksumAlgorithm } from '../checksums.ts'
import { invalidArgument, S3Error } from '../s3-error.ts'
import { s3Document } from '../xml-writer.ts'
import { copyAccess, judgeCopySource } from './copy-source.ts'
import { assertSupportedHeaders, quoted, storedPart, writePrecondition, xmlTime } from './object-headers.ts'
import type { Operation } from './operation.ts'

export const copyObject: Operation = {
  name: 'CopyObject',
  method: 'PUT',
  level: 'object',
  copies: true,
  body: 'none',
  access: copyAccess,
  async handle(context) {
    const { engine, bucket, key, headers } = context
    assertSupportedHeaders(headers)
    const directive = headers.get('x-amz-metadata-directive') ?? 'COPY'
    if (directive !== 'COPY' && directive !== 'REPLACE') throw invalidArgument('x-amz-metadata-directive', directive)
    const { source, info: original } = await judgeCopySource(context, (info) => info.sizeBytes)
    if (source.bucket === bucket && source.key === key && directive === 'COPY')
      throw new S3Error('InvalidRequest', {
        message: 'This copy request is illegal because it copies an object to itself without changing its metadata.'
      })
    const wanted = headers.get('x-amz-checksum-algorithm')
    if (wanted !== undefined && parseChecksumAlgorithm(wanted) !== original.checksum?.algorithm)
      throw new S3Error('NotImplemented', { message: 'A copy keeps the checksum of its source.' })
    const { etag, lastModifiedMs, checksum } = await engine.copyObject({
      source,
      bucket,
      key,
      replace: directive === 'REPLACE' ? storedPart(headers) : undefined,
      precondition: writePrecondition(headers)
    })
    return {
      status: 200,
      body: s3Document('CopyObjectResult', [
        ['LastModified', xmlTime(lastModifiedMs)],
        ['ETag', quoted(etag)],
        ...(checksum === null
          ? []
          : ([
              [checksumElement(checksum.algorithm), checksum.value],
              ['ChecksumType', checksum.type]
            ] as const))
      ])
    }
  }
}
