import type { ByteRange } from '../../engine/storage-engine.ts'
import { invalidArgument } from '../s3-error.ts'
import { s3Document } from '../xml-writer.ts'
import { copyAccess, judgeCopySource } from './copy-source.ts'
import { uploadOf } from './multipart.ts'
import { assertSupportedHeaders, quoted, xmlTime } from './object-headers.ts'
import { parsePartNumber } from './objects.ts'
import type { Operation } from './operation.ts'

export const uploadPartCopy: Operation = {
  name: 'UploadPartCopy',
  method: 'PUT',
  level: 'object',
  subresources: ['partNumber', 'uploadId'],
  copies: true,
  body: 'none',
  mayTakeLong: true,
  access: copyAccess,
  async handle(context) {
    const { engine, headers, query } = context
    assertSupportedHeaders(headers)
    const number = parsePartNumber(query.get('partNumber') ?? '')
    const range = copyRange(headers.get('x-amz-copy-source-range'))
    const upload = uploadOf(context)
    await engine.headUpload(upload)
    const { source } = await judgeCopySource(context, (info) =>
      range === undefined ? info.sizeBytes : range.end - range.start + 1
    )
    const part = await engine.copyPart({ upload, number, source, ...(range === undefined ? {} : { range }) })
    return {
      status: 200,
      body: s3Document('CopyPartResult', [
        ['LastModified', xmlTime(part.lastModifiedMs)],
        ['ETag', quoted(part.etag)]
      ])
    }
  }
}

/** Unlike a Range header, both ends are mandatory here. */
function copyRange(value: string | undefined): ByteRange | undefined {
  if (value === undefined) return undefined
  const [, start, end] = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(value) ?? []
  if (start === undefined || end === undefined || Number(start) > Number(end))
    throw invalidArgument(
      'x-amz-copy-source-range',
      value,
      'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy.'
    )
  return { start: Number(start), end: Number(end) }
}
