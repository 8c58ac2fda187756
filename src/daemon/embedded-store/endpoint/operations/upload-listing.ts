import { checksumElement } from '../checksums.ts'
import { invalidArgument } from '../s3-error.ts'
import { s3Document, type XmlNode } from '../xml-writer.ts'
import { owner, parseEncodingType, parsePageSize } from './listing.ts'
import { uploadOf } from './multipart.ts'
import { quoted, xmlTime } from './object-headers.ts'
import { type Operation, onListing, onObject } from './operation.ts'

export const listParts: Operation = {
  name: 'ListParts',
  method: 'GET',
  level: 'object',
  subresources: ['uploadId'],
  body: 'none',
  access: onObject('s3:ListMultipartUploadParts'),
  async handle(context) {
    const { engine, query, bucket, key, caller } = context
    const limit = parsePageSize(query, 'max-parts')
    const marker = query.get('part-number-marker') || '0'
    if (!/^\d{1,9}$/.test(marker)) throw invalidArgument('part-number-marker', marker)
    const { encodingType, encode } = parseEncodingType(query)
    const upload = await engine.headUpload(uploadOf(context))
    const { parts, truncated } = await engine.listParts(uploadOf(context), { after: Number(marker), limit })
    return {
      status: 200,
      body: s3Document('ListPartsResult', [
        ['Bucket', bucket],
        ['Key', encode(key)],
        ['UploadId', upload.uploadId],
        owner(caller.user.ownerId, 'Initiator'),
        owner(caller.user.ownerId),
        ['StorageClass', 'STANDARD'],
        ['ChecksumAlgorithm', upload.checksum?.algorithm],
        ['ChecksumType', upload.checksum?.type],
        ['PartNumberMarker', marker],
        ['NextPartNumberMarker', parts.at(-1)?.number],
        ['MaxParts', limit],
        ['EncodingType', encodingType],
        ['IsTruncated', truncated],
        ...parts.map(
          (part): XmlNode => [
            'Part',
            [
              ['PartNumber', part.number],
              ['LastModified', xmlTime(part.lastModifiedMs)],
              ['ETag', quoted(part.etag)],
              ['Size', part.sizeBytes],
              ...(upload.checksum && part.checksum
                ? ([[checksumElement(upload.checksum.algorithm), part.checksum]] as const)
                : [])
            ]
          ]
        )
      ])
    }
  }
}

export const listMultipartUploads: Operation = {
  name: 'ListMultipartUploads',
  method: 'GET',
  level: 'bucket',
  subresources: ['uploads'],
  body: 'none',
  access: onListing('s3:ListBucketMultipartUploads'),
  async handle({ engine, query, bucket, caller }) {
    const limit = parsePageSize(query, 'max-uploads')
    const prefix = query.get('prefix') ?? ''
    const delimiter = query.get('delimiter') || undefined
    const keyMarker = query.get('key-marker') ?? ''
    const uploadIdMarker = query.get('upload-id-marker') || undefined
    const { encodingType, encode } = parseEncodingType(query)
    // An upload id without its key marks nothing.
    const after = keyMarker === '' ? undefined : { key: keyMarker, uploadId: uploadIdMarker }
    const { entries, next } = await engine.listUploads({ bucket, prefix, delimiter, after, limit })
    return {
      status: 200,
      body: s3Document('ListMultipartUploadsResult', [
        ['Bucket', bucket],
        ['KeyMarker', encode(keyMarker)],
        ['UploadIdMarker', uploadIdMarker ?? ''],
        ['NextKeyMarker', next === null ? undefined : encode(next.key)],
        ['NextUploadIdMarker', next?.uploadId ?? undefined],
        ['Prefix', encode(prefix)],
        ['Delimiter', delimiter && encode(delimiter)],
        ['MaxUploads', limit],
        ['EncodingType', encodingType],
        ['IsTruncated', next !== null],
        ...entries.map((entry): XmlNode => {
          if ('prefix' in entry) return ['CommonPrefixes', [['Prefix', encode(entry.prefix)]]]
          const { key, uploadId, createdAtMs, checksum } = entry.upload
          return [
            'Upload',
            [
              ['Key', encode(key)],
              ['UploadId', uploadId],
              owner(caller.user.ownerId, 'Initiator'),
              owner(caller.user.ownerId),
              ['StorageClass', 'STANDARD'],
              ['Initiated', xmlTime(createdAtMs)],
              ['ChecksumAlgorithm', checksum?.algorithm],
              ['ChecksumType', checksum?.type]
            ]
          ]
        })
      ])
    }
  }
}
