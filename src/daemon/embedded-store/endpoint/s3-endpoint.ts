import type { Logger } from 'pino'
import type { IdentityService } from '../credentials/identity-service.ts'
import { BodySlots } from './body-slots.ts'
import type { DeniedEvent } from './denied-actions.ts'
import { closeListener, createListener, openListener } from './listener.ts'
import { type AnsweredEvent, Pipeline } from './pipeline.ts'
import type { ServedStorage } from './served-storage.ts'
import type { UploadProgressEvent } from './upload-progress.ts'

export interface S3EndpointOptions {
  engine: ServedStorage
  identity: IdentityService
  region: string
  log: Logger
  /** Milliseconds since the epoch; the system clock unless given. */
  clock?: () => number
  /** Origins of pages that may use buckets without a CORS configuration of their own. None unless given. */
  corsOrigins?: () => readonly string[]
  /** How long a body may send nothing before it is cut off. 60 s unless given. */
  idleTimeoutMs?: number
  /** Largest object or part. 5 TiB unless given. */
  maxObjectBytes?: number
  /** Object bodies received at one time, in all and under one access key, and how long others wait for their turn. */
  bodySlots?: { total: number; perKey: number; maxWaitMs: number }
  /** Connections of one address that are served at a time; 256 unless given. Those beyond are told to slow down. */
  maxSockets?: number
  /** Whether the answer to a wrong signature shows what the endpoint took as signed. Not unless given. */
  explainSignatures?: boolean
  /** Start, progress (at most four a second) and end of every object body. */
  onUploadProgress?(event: UploadProgressEvent): void
  /** A well-signed request that no policy allows. */
  onDenied?(event: DeniedEvent): void
  /** Every request, when its answer is on the way. */
  onAnswered?(event: AnsweredEvent): void
}

export interface S3Endpoint {
  /**
   * Opens the endpoint on an address; port 0 takes any free one. May be called for several addresses.
   * @throws the system's error, such as EADDRINUSE
   */
  listen(host: string, port: number): Promise<{ host: string; port: number }>
  /** Takes no new requests and waits for those under way, at most until the deadline. */
  close(deadlineMs: number): Promise<void>
  /** Object bodies being received now. */
  inFlightBodies(): number
}

const DEFAULT_IDLE_TIMEOUT_MS = 60_000
const DEFAULT_MAX_OBJECT_BYTES = 5 * 1024 ** 4
const DEFAULT_BODY_SLOTS = { total: 32, perKey: 8, maxWaitMs: 5000 }

/** The S3 and STS endpoint of the embedded object store. */
export function createS3Endpoint(options: S3EndpointOptions): S3Endpoint {
  const slots = new BodySlots(options.bodySlots ?? DEFAULT_BODY_SLOTS)
  const pipeline = new Pipeline({
    engine: options.engine,
    identity: options.identity,
    region: options.region,
    log: options.log,
    clock: options.clock ?? Date.now,
    slots,
    corsOrigins: options.corsOrigins ?? (() => []),
    idleTimeoutMs: options.idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS,
    maxObjectBytes: options.maxObjectBytes ?? DEFAULT_MAX_OBJECT_BYTES,
    explainSignatures: options.explainSignatures ?? false,
    onUploadProgress: (event) => options.onUploadProgress?.(event),
    onDenied: (event) => options.onDenied?.(event),
    onAnswered: (event) => options.onAnswered?.(event)
  })
  const open: ReturnType<typeof createListener>[] = []
  return {
    async listen(host, port) {
      const server = createListener((...arrived) => void pipeline.handle(...arrived), options.maxSockets)
      const address = await openListener(server, { host, port, log: options.log })
      open.push(server)
      return address
    },
    async close(deadlineMs) {
      await Promise.all(open.splice(0).map((server) => closeListener(server, deadlineMs)))
    },
    inFlightBodies: () => slots.inUse
  }
}
