import { S3Error } from './s3-error.ts'

/** How the body is framed. Decided by `x-amz-content-sha256` alone: not every client sends `Content-Encoding: aws-chunked`. */
export type PayloadMode = { framing: 'plain' } | { framing: 'aws-chunked'; signed: boolean; trailer: boolean }

const CHUNKED: Record<string, PayloadMode> = {
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD': { framing: 'aws-chunked', signed: true, trailer: false },
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER': { framing: 'aws-chunked', signed: true, trailer: true },
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER': { framing: 'aws-chunked', signed: false, trailer: true }
}

/**
 * Reads the last line of the canonical request as a payload mode (SigV4).
 * @throws S3Error NotImplemented for SigV4a streaming, InvalidArgument for anything unknown
 */
export function parsePayloadMode(payloadHash: string): PayloadMode {
  if (payloadHash === 'UNSIGNED-PAYLOAD' || /^[0-9a-f]{64}$/.test(payloadHash)) return { framing: 'plain' }
  const mode = Object.hasOwn(CHUNKED, payloadHash) ? CHUNKED[payloadHash] : undefined
  if (mode !== undefined) return mode
  if (payloadHash.startsWith('STREAMING-AWS4-ECDSA-'))
    throw new S3Error('NotImplemented', { message: 'SigV4a is not supported; please use AWS4-HMAC-SHA256.' })
  throw new S3Error('InvalidArgument', {
    message: 'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, a supported STREAMING mode or 64 lower-case hex digits.',
    fields: { ArgumentName: 'x-amz-content-sha256', ArgumentValue: payloadHash.slice(0, 256) }
  })
}
