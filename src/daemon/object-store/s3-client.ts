import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import { sendContentMd5 } from './content-md5.ts'
import type { StaticKey } from './presigner.ts'

const ignore = () => {}
/** The SDK would write its warnings to the console; whatever matters is raised as an error. */
const SILENT = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore }

/** One bucket of an S3 server, and how to talk to it. */
export type S3Server = {
  /** Base URL the daemon uses. */
  endpoint: string
  region: string
  bucket: string
  credentials: StaticKey
  /** False only for the clouds that insist on the bucket in the host name. */
  forcePathStyle?: boolean
  /** What a server may lack; each is there unless told otherwise. See `StoreProfile`. */
  takesChecksums?: boolean
  takesConditions?: boolean
  answersExpect?: boolean
}

/** How every client of ours talks to this server. */
export function s3ClientConfig({ endpoint, region, credentials, forcePathStyle = true, answersExpect }: S3Server) {
  return {
    endpoint,
    region,
    credentials,
    forcePathStyle,
    // Several servers refuse the checksum trailers that are the SDK's default, or answer range reads with checksums it rejects.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...(answersExpect === false && { expectContinueHeader: false }),
    logger: SILENT
  } as const satisfies S3ClientConfig
}

/** A client for many requests at a time; destroy it. */
export function openS3Client(server: S3Server): S3Client {
  const s3 = new S3Client({
    ...s3ClientConfig(server),
    requestHandler: {
      connectionTimeout: 5000,
      socketTimeout: 60_000,
      httpsAgent: { maxSockets: 64 },
      httpAgent: { maxSockets: 64 }
    }
  })
  if (server.takesChecksums === false) sendContentMd5(s3)
  return s3
}
