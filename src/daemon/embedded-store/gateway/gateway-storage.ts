import { join } from 'node:path'
import { PassThrough, pipeline } from 'node:stream'
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { unquote } from '../../object-store/s3-answers.ts'
import { openS3Client, type S3Server, s3ClientConfig } from '../../object-store/s3-client.ts'
import { encodeCopySource, S3Copier } from '../../object-store/s3-copier.ts'
import type { ServedStorage } from '../endpoint/served-storage.ts'
import { assertObjectKey } from '../engine/names.ts'
import { assertPrecondition, noSuchKey, preconditionFailed } from '../engine/preconditions.ts'
import {
  type BucketInfo,
  type ObjectChecksum,
  type ObjectHandle,
  type ObjectInfo,
  StorageError,
  type WritePrecondition
} from '../engine/storage-engine.ts'
import { listUpstream } from './gateway-listing.ts'
import { GatewayRows } from './gateway-rows.ts'
import { GatewayUploads } from './gateway-uploads.ts'
import { Spool } from './spool.ts'
import { asked, bytesOf, findObject, protection, representation, type Upstream } from './upstream.ts'

const CORS = 'cors'
const TIDY_INTERVAL_MS = 24 * 3_600_000

export type GatewayOptions = {
  /** For bodies on their way and the map of uploads. Made when missing. */
  directory: string
  /** The store behind, and the one bucket of it that is served. */
  server: S3Server
  owner: string
  /** Space never given to bodies; see the engine. */
  reserveBytes?: number
  clock?: () => number
}

/** A storage of the endpoint that keeps nothing itself. */
export type GatewayStorage = ServedStorage & { close(): Promise<void> }

/**
 * Puts the endpoint before a bucket of a store without temporary credentials of its own. A body is taken whole, with its hashes
 * checked, before the store behind gets it, and answered for when that has it; everything else is asked there. What cannot be asked
 * is `StoreOffline`, never absence.
 */
export async function openGateway(options: GatewayOptions): Promise<GatewayStorage> {
  const { directory, server, owner, clock = Date.now } = options
  const { bucket, takesChecksums = true, takesConditions = true } = server
  const spool = await Spool.open(directory, options.reserveBytes)
  const rows = new GatewayRows(join(directory, 'gateway.db'))
  const s3 = openS3Client(server)
  const copier = new S3Copier(s3ClientConfig(server), {})
  const upstream: Upstream = { s3, bucket, takesChecksums, takesConditions }
  const createdAtMs = clock()

  const only = (name: string): BucketInfo => {
    if (name !== bucket)
      throw new StorageError('NoSuchBucket', 'The specified bucket does not exist.', { bucket: name })
    return { name, owner, createdAtMs, corsJson: rows.fact(CORS) }
  }
  const head = async (name: string, key: string): Promise<ObjectInfo> => {
    only(name)
    const info = await findObject(upstream, key)
    if (info === null) throw noSuchKey(key)
    return info
  }
  const checkPrecondition = async (name: string, key: string, condition: WritePrecondition | undefined) => {
    only(name)
    assertObjectKey(key)
    if (condition?.ifMatch === undefined && condition?.ifNoneMatch === undefined) return
    assertPrecondition(key, (await findObject(upstream, key))?.etag ?? null, condition)
  }
  const uploads = new GatewayUploads({ upstream, rows, spool, only, head, checkPrecondition, clock })
  // It goes on without: the store behind may be away.
  let tidied = uploads.forgetOld().catch(() => {})
  const tidying = setInterval(() => {
    tidied = tidied.then(() => uploads.forgetOld()).catch(() => {})
  }, TIDY_INTERVAL_MS).unref()

  return {
    createBucket: async ({ name }) => {
      if (name !== bucket) throw new StorageError('InvalidBucketName', `There is no other bucket here than ${bucket}.`)
      return { bucket: only(name), created: false }
    },
    headBucket: async (name) => only(name),
    listBuckets: async ({ prefix = '', after = '' } = {}) =>
      bucket.startsWith(prefix) && bucket > after ? [only(bucket)] : [],
    deleteBucket: async (name) => {
      throw new StorageError('BucketNotEmpty', `${only(name).name} belongs to the store behind this one.`)
    },
    setBucketCors: async (name, corsJson) => {
      only(name)
      rows.setFact(CORS, corsJson)
    },

    openBody: (request) => spool.openBody(request),
    checkPrecondition,
    putObject: ({ bucket: name, key, body, headers = {}, metadata = {}, checksumAlgorithm, precondition }) =>
      spool.handOn(body, async (whole) => {
        await checkPrecondition(name, key, precondition)
        const command = new PutObjectCommand({
          Bucket: bucket,
          Key: key,
          Body: whole.read(),
          ContentLength: whole.sizeBytes,
          ...representation(headers, metadata),
          ...protection(upstream, whole, checksumAlgorithm),
          ...(takesConditions && { IfMatch: precondition?.ifMatch, IfNoneMatch: precondition?.ifNoneMatch })
        })
        const { ETag } = await asked(() => s3.send(command))
        const value = checksumAlgorithm && whole.checksums[checksumAlgorithm]
        const checksum: ObjectChecksum | null =
          checksumAlgorithm && value ? { algorithm: checksumAlgorithm, type: 'FULL_OBJECT', value } : null
        const { sizeBytes, sha256 } = whole
        const at = { bucket, key, sizeBytes, etag: unquote(ETag), lastModifiedMs: clock() }
        return { ...at, headers, metadata, checksum, sha256, parts: null }
      }),
    headObject: head,
    openObject: async (name, key) => handleOf(upstream, await head(name, key)),
    deleteObject: async (name, key, precondition) => {
      only(name)
      if (precondition?.ifMatch !== undefined) await checkPrecondition(name, key, precondition)
      try {
        await asked(() => s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key })))
        return { existed: true }
      } catch (error) {
        if (error instanceof StorageError && error.code === 'NoSuchKey') return { existed: false }
        throw error
      }
    },
    copyObject: async ({ source, bucket: name, key, replace, precondition }) => {
      const original = await head(source.bucket, source.key)
      if (source.etag !== undefined && source.etag !== original.etag)
        throw preconditionFailed('x-amz-copy-source-if-match')
      await checkPrecondition(name, key, precondition)
      const { headers, metadata } = replace ?? original
      const { ContentType = 'binary/octet-stream', Metadata, ...more } = representation(headers, metadata)
      const input = {
        Bucket: bucket,
        Key: key,
        CopySource: encodeCopySource(bucket, source.key),
        CopySourceIfMatch: `"${original.etag}"`,
        IfMatch: takesConditions ? precondition?.ifMatch : undefined,
        ContentType,
        Metadata,
        ...more,
        MetadataDirective: replace ? ('REPLACE' as const) : ('COPY' as const)
      }
      const etag = unquote(await asked(() => copier.copy(input, original.sizeBytes)))
      return { ...original, key, etag, headers, metadata, lastModifiedMs: clock(), parts: null }
    },
    listObjects: async (request) => {
      only(request.bucket)
      return listUpstream(upstream, request)
    },

    createUpload: (request) => uploads.create(request),
    headUpload: async (upload) => uploads.head(upload).info,
    putPart: (request) => uploads.putPart(request),
    copyPart: (request) => uploads.copyPart(request),
    listParts: async (upload, page) => uploads.listParts(upload, page),
    completeUpload: (request) => uploads.complete(request),
    abortUpload: (upload) => uploads.abort(upload),
    listUploads: async (request) => uploads.list(request),

    async close() {
      clearInterval(tidying)
      await spool.close()
      await tidied
      s3.destroy()
      copier.close()
      rows.close()
    }
  }
}

/** The version that was looked at; another one in its place fails the read. */
function handleOf(upstream: Upstream, info: ObjectInfo): ObjectHandle {
  return {
    info,
    isLocal: false,
    read(range) {
      const through = new PassThrough()
      if (info.sizeBytes === 0) return through.end()
      bytesOf(upstream, info, range).then(
        (bytes) => pipeline(bytes, through, () => {}),
        (error: unknown) => through.destroy(error instanceof Error ? error : new Error(String(error)))
      )
      return through
    },
    async readAt(buffer, position) {
      const end = Math.min(position + buffer.length, info.sizeBytes) - 1
      let filled = 0
      for await (const chunk of await bytesOf(upstream, info, { start: position, end }))
        filled += (chunk as Buffer).copy(buffer, filled)
      return filled
    },
    close() {}
  }
}
