import type { BodyDigests, BodyWriter, ChecksumAlgorithm } from '../engine/storage-engine.ts'
import type { Authenticated } from './authenticate.ts'
import type { BodySlots } from './body-slots.ts'
import { assertChecksumValue, assertDigests, type DeclaredDigests, parseDeclaredDigests } from './checksums.ts'
import { ChunkedDecoder } from './chunked-decoder.ts'
import { type PayloadMode, parsePayloadMode } from './payload-mode.ts'
import type { RequestBody } from './request-body.ts'
import { S3Error } from './s3-error.ts'
import type { ServedStorage } from './served-storage.ts'
import type { PartOfUpload, UploadProgress } from './upload-progress.ts'

/** A body that is complete, on disk in staging, and equal to everything its request declared. Commit or discard it. */
export interface ReceivedObjectBody {
  writer: BodyWriter
  digests: BodyDigests
  /** The algorithm the client protected the body with. */
  checksumAlgorithm: ChecksumAlgorithm | undefined
}

export interface ObjectBodyOptions {
  authenticated: Authenticated
  body: RequestBody
  engine: ServedStorage
  slots: BodySlots
  progress: UploadProgress
  maxSizeBytes: number
  /** Null for a whole object. A part does not know the size of the object it belongs to, so progress shows none. */
  part: PartOfUpload | null
  /** Algorithm every part of this upload must be protected with. */
  requiredAlgorithm?: ChecksumAlgorithm | undefined
  /** Evaluated when everything else is known to be fine and before the client is told to send. */
  beforeBody(): Promise<void>
}

/**
 * Receives an object body in whatever framing it comes: validates the headers, waits for a slot, reserves space, lets the client go
 * on, and streams through decoder and hashes to staging. Whatever goes wrong, nothing is left behind.
 * @throws S3Error, StorageError (space), ClientGone
 */
export async function receiveObjectBody(options: ObjectBodyOptions): Promise<ReceivedObjectBody> {
  const plan = planBody(options)
  const release = await options.slots.acquire(options.authenticated.credential.accessKeyId)
  try {
    await options.beforeBody()
    const algorithm = plan.declared.checksum?.algorithm ?? options.requiredAlgorithm
    const writer = await options.engine.openBody({
      sizeBytes: plan.sizeBytes,
      checksums: algorithm === undefined ? [] : [algorithm]
    })
    try {
      const digests = await streamBody(options, plan, writer)
      return { writer, digests, checksumAlgorithm: plan.declared.checksum?.algorithm }
    } catch (error) {
      await writer.discard()
      throw error
    }
  } finally {
    release()
  }
}

interface BodyPlan {
  mode: PayloadMode
  trailerNames: readonly string[] | undefined
  declared: DeclaredDigests
  /** Null when the length is not announced. */
  sizeBytes: number | null
}

function planBody({ authenticated, body, maxSizeBytes, requiredAlgorithm }: ObjectBodyOptions): BodyPlan {
  const { headers, claim } = authenticated
  const mode = parsePayloadMode(claim.payloadHash)
  const announced = headers.get('x-amz-trailer')?.split(',')
  const trailerNames = (announced ?? []).map((name) => name.trim().toLowerCase()).filter((name) => name !== '')
  const hasTrailer = mode.framing === 'aws-chunked' && mode.trailer
  if (trailerNames.length > 0 && !hasTrailer)
    throw new S3Error('InvalidRequest', { message: 'x-amz-trailer needs a payload mode with a trailer.' })
  if (hasTrailer && trailerNames.length === 0)
    throw new S3Error('MalformedTrailerError', { message: 'The payload mode needs a trailer, named in x-amz-trailer.' })
  const declared = parseDeclaredDigests(headers, claim.payloadHash, trailerNames)
  if (requiredAlgorithm !== undefined && declared.checksum?.algorithm !== requiredAlgorithm)
    throw new S3Error('InvalidRequest', {
      message: `The upload was created with the ${requiredAlgorithm} checksum, so every part must carry one.`
    })
  const sizeBytes =
    mode.framing === 'aws-chunked' ? decodedLength(headers.get('x-amz-decoded-content-length')) : body.announcedBytes
  if (sizeBytes === undefined) throw new S3Error('MissingContentLength')
  if (sizeBytes !== null && sizeBytes > maxSizeBytes)
    throw new S3Error('EntityTooLarge', {
      fields: { ProposedSize: String(sizeBytes), MaxSizeAllowed: String(maxSizeBytes) }
    })
  return { mode, trailerNames: hasTrailer ? trailerNames : undefined, declared, sizeBytes }
}

function decodedLength(value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  if (!/^\d{1,15}$/.test(value))
    throw new S3Error('InvalidArgument', { message: 'x-amz-decoded-content-length must be a non-negative integer.' })
  return Number(value)
}

async function streamBody(options: ObjectBodyOptions, plan: BodyPlan, writer: BodyWriter): Promise<BodyDigests> {
  const { body, progress, authenticated, part, maxSizeBytes } = options
  const { mode, declared, sizeBytes } = plan
  const decoder =
    mode.framing === 'plain'
      ? undefined
      : new ChunkedDecoder({
          decodedLength: sizeBytes ?? 0,
          signing: mode.signed ? authenticated.signing : undefined,
          trailerNames: plan.trailerNames
        })
  progress.started(sizeBytes, part)
  let receivedBytes = 0
  for await (const chunk of body.chunks()) {
    for (const payload of decoder?.push(chunk) ?? [chunk]) {
      receivedBytes += payload.length
      if (receivedBytes > maxSizeBytes) throw new S3Error('EntityTooLarge')
      const pause = writer.write(payload)
      if (pause !== undefined) await pause
      progress.received(payload.length)
    }
  }
  const trailer = decoder?.finish()
  if (declared.checksum !== undefined && declared.checksum.value === undefined) {
    const { algorithm } = declared.checksum
    const value = trailer?.get(plan.trailerNames?.[0] ?? '') ?? ''
    assertChecksumValue(algorithm, value)
    declared.checksum.value = value
  }
  const digests = await writer.finish()
  assertDigests(declared, digests)
  return digests
}
