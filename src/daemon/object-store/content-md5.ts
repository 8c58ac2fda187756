import { createHash } from 'node:crypto'
import type { S3Client } from '@aws-sdk/client-s3'

const CHECKSUM_HEADER = /^x-amz-(checksum-|sdk-checksum-)/

/**
 * For servers that know no `x-amz-checksum-*` header: takes those out that the SDK cannot be kept from sending, and puts Content-MD5
 * in their place where the body is in memory. (Some demand it for removing many objects.)
 */
export function sendContentMd5(s3: S3Client): void {
  s3.middlewareStack.add(
    (next) => async (args) => {
      const { request } = args
      if (isRequest(request)) {
        const names = Object.keys(request.headers).filter((name) => CHECKSUM_HEADER.test(name.toLowerCase()))
        for (const name of names) delete request.headers[name]
        const { body } = request
        if (names.length > 0 && (typeof body === 'string' || body instanceof Uint8Array))
          request.headers['content-md5'] = createHash('md5').update(body).digest('base64')
      }
      return next(args)
    },
    { step: 'build', priority: 'low', name: 'flightcaseContentMd5' }
  )
}

function isRequest(request: unknown): request is { headers: Record<string, string>; body?: unknown } {
  return typeof request === 'object' && request !== null && 'headers' in request
}
