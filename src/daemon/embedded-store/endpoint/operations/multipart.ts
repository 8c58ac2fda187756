import type { UploadRef } from '../../engine/storage-engine.ts'
import { CHECKSUM_ALGORITHMS, checksumElement, checksumHeader, parseUploadChecksum } from '../checksums.ts'
import { S3Error } from '../s3-error.ts'
import { childrenOf, childText, type XmlElement } from '../xml-reader.ts'
import { s3Document } from '../xml-writer.ts'
import { assertSupportedHeaders, quoted, storedPart, writePrecondition } from './object-headers.ts'
import { parsePartNumber } from './objects.ts'
import { type Operation, onObject, type S3Request } from './operation.ts'

const MAX_PARTS = 10_000

/** The upload a request names; it belongs to the long-term user, also behind temporary credentials. */
export function uploadOf({ bucket, key, query, caller }: S3Request): UploadRef {
  return { bucket, key, uploadId: query.get('uploadId') ?? '', owner: caller.user.accessKeyId }
}

export const createMultipartUpload: Operation = {
  name: 'CreateMultipartUpload',
  method: 'POST',
  level: 'object',
  subresources: ['uploads'],
  body: 'none',
  access: onObject('s3:PutObject'),
  async handle({ engine, bucket, key, headers, caller }) {
    assertSupportedHeaders(headers)
    const checksum = parseUploadChecksum(headers)
    const stored = storedPart(headers)
    const upload = await engine.createUpload({ bucket, key, owner: caller.user.accessKeyId, ...stored, checksum })
    return {
      status: 200,
      headers: checksum ? { 'x-amz-checksum-algorithm': checksum.algorithm, 'x-amz-checksum-type': checksum.type } : {},
      body: s3Document('InitiateMultipartUploadResult', [
        ['Bucket', bucket],
        ['Key', key],
        ['UploadId', upload.uploadId]
      ])
    }
  }
}

export const uploadPart: Operation = {
  name: 'UploadPart',
  method: 'PUT',
  level: 'object',
  subresources: ['partNumber', 'uploadId'],
  body: 'object',
  access: onObject('s3:PutObject'),
  async handle(context) {
    const { engine, headers, query, receiveObject } = context
    assertSupportedHeaders(headers)
    const number = parsePartNumber(query.get('partNumber') ?? '')
    const upload = uploadOf(context)
    const { checksum: declared } = await engine.headUpload(upload)
    const { writer } = await receiveObject({
      part: { uploadId: upload.uploadId, number },
      requiredAlgorithm: declared?.algorithm,
      beforeBody: async () => {}
    })
    const part = await engine.putPart({ upload, number, body: writer })
    // Only what is kept: clients repeat at the completion what they are told here.
    const checksum = declared && part.checksum ? { [checksumHeader(declared.algorithm)]: part.checksum } : {}
    return { status: 200, headers: { etag: quoted(part.etag), ...checksum } }
  }
}

export const completeMultipartUpload: Operation = {
  name: 'CompleteMultipartUpload',
  method: 'POST',
  level: 'object',
  subresources: ['uploadId'],
  body: 'xml',
  // Its checksum headers speak of the object, not of this document.
  checksumsOfObject: true,
  mayTakeLong: true,
  access: onObject('s3:PutObject'),
  async handle(context) {
    const { engine, bucket, key, headers, xmlBody } = context
    const parts = childrenOf(xmlBody('CompleteMultipartUpload'), 'Part').map(readPart)
    if (parts.length === 0 || parts.length > MAX_PARTS)
      throw new S3Error('MalformedXML', { message: `Between 1 and ${MAX_PARTS} parts must be listed.` })
    const algorithm = CHECKSUM_ALGORITHMS.find((candidate) => headers.has(checksumHeader(candidate)))
    const info = await engine.completeUpload({
      upload: uploadOf(context),
      parts,
      precondition: writePrecondition(headers),
      expectedChecksum: algorithm && headers.get(checksumHeader(algorithm)),
      expectedSizeBytes: objectSize(headers.get('x-amz-mp-object-size'))
    })
    return {
      status: 200,
      body: s3Document('CompleteMultipartUploadResult', [
        ['Location', `http://${headers.get('host')}/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`],
        ['Bucket', bucket],
        ['Key', key],
        ['ETag', quoted(info.etag)],
        ...(info.checksum === null
          ? []
          : ([
              [checksumElement(info.checksum.algorithm), info.checksum.value],
              ['ChecksumType', info.checksum.type]
            ] as const))
      ])
    }
  }
}

function readPart(part: XmlElement): { number: number; etag: string; checksum?: string } {
  const number = childText(part, 'PartNumber')?.trim() ?? ''
  const etag = childText(part, 'ETag')?.trim()
  if (!/^\d{1,5}$/.test(number) || etag === undefined || etag === '')
    throw new S3Error('MalformedXML', { message: 'Every part needs a PartNumber and an ETag.' })
  const checksums = CHECKSUM_ALGORITHMS.map((algorithm) => childText(part, checksumElement(algorithm))?.trim())
  const [checksum] = checksums.filter((value) => value !== undefined && value !== '')
  return { number: Number(number), etag, ...(checksum === undefined ? {} : { checksum }) }
}

function objectSize(value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  if (!/^\d{1,15}$/.test(value))
    throw new S3Error('InvalidRequest', { message: 'x-amz-mp-object-size must be a non-negative integer.' })
  return Number(value)
}

export const abortMultipartUpload: Operation = {
  name: 'AbortMultipartUpload',
  method: 'DELETE',
  level: 'object',
  subresources: ['uploadId'],
  body: 'none',
  access: onObject('s3:AbortMultipartUpload'),
  async handle(context) {
    await context.engine.abortUpload(uploadOf(context))
    return { status: 204 }
  }
}
