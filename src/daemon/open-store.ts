import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { ListenAddress } from './config/settings/listeners.ts'
import type { StoreConfig } from './config/settings/store.ts'
import {
  type IdentityService,
  openIdentityService,
  STORE_OWNER
} from './embedded-store/credentials/identity-service.ts'
import type { AnsweredEvent } from './embedded-store/endpoint/pipeline.ts'
import { createS3Endpoint } from './embedded-store/endpoint/s3-endpoint.ts'
import type { UploadProgressEvent } from './embedded-store/endpoint/upload-progress.ts'
import { createStorageEngine, type StorageEngineOptions } from './embedded-store/engine/create-storage-engine.ts'
import type { StorageEngine } from './embedded-store/engine/storage-engine.ts'
import { assertKnownStore, rememberStore } from './embedded-store/known-store.ts'
import { listenProblem, urlOf } from './http/listener.ts'
import { LocalObjectStore } from './object-store/local-object-store.ts'
import type { IssueCredentials, ObjectStore } from './object-store/object-store.ts'
import { Presigner, type StaticKey } from './object-store/presigner.ts'
import { S3ObjectStore } from './object-store/s3-object-store.ts'
import { buildSessionPolicy } from './object-store/session-policy.ts'

/** The object store of the configuration with whatever has to run for it. */
export interface OpenStore {
  store: ObjectStore
  /** Opens the embedded endpoint, if there is one, and returns the base URL of the store as this machine sees it. */
  listen(): Promise<string>
  /** Where controllers find the store beside the host they already use. */
  publicStore(): { publicEndpoint: string | null; port: number; scheme: 'http' | 'https'; region: string }
  /** The embedded endpoint's address; null for an external store or before it listens. */
  address(): ListenAddress | null
  /**
   * Ends the temporary credentials issued to this device. Those of an external store stay good until they expire: the
   * protocol has no word for taking them back.
   */
  revokeCredentials(deviceId: string): void
  /** Uploads being received now. */
  inFlightBodies(): number
  /** Takes no more requests and lets running ones end until the deadline. */
  stopListening(deadlineMs: number): Promise<void>
  close(): Promise<void>
}

export interface OpenStoreOptions {
  config: StoreConfig
  dataDir: string
  log: Logger
  onUploadProgress: (event: UploadProgressEvent) => void
  /** A request to the embedded endpoint was answered. */
  onAnswered: (event: AnsweredEvent) => void
  /** An object of the embedded store was found to have lost its bytes; told again at each start while it is so. */
  onObjectDamaged: (key: string) => void
}

/** Opens the store of the configuration. Throws `StartupError` when it cannot be used at all. */
export function openStore(options: OpenStoreOptions): Promise<OpenStore> | OpenStore {
  const { config } = options
  return config.mode === 'embedded' ? openEmbedded(options, config) : openExternal(config)
}

async function openEmbedded(
  options: OpenStoreOptions,
  config: Extract<StoreConfig, { mode: 'embedded' }>
): Promise<OpenStore> {
  const { bucket, region } = config
  const log = options.log.child({ part: 's3' })
  const directory = join(options.dataDir, 'store')
  assertKnownStore(options.dataDir, directory)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const identity = openIdentityService({ directory, log })
  const engine = await openEngine({ directory, log }, options, bucket).catch((error: unknown) => {
    identity.close()
    throw error
  })
  let address: ListenAddress | null = null
  const { onUploadProgress, onAnswered } = options
  const endpoint = createS3Endpoint({ engine, identity, region, log, onUploadProgress, onAnswered })
  const store = new LocalObjectStore({
    engine,
    bucket,
    issueCredentials: issueFrom(identity, bucket),
    presigner: new Presigner({
      bucket,
      region,
      endpoint: () => config.publicEndpoint ?? urlOf(address ?? config.listen),
      credentials: () => linkSigner(identity, bucket),
      forcePathStyle: true
    })
  })
  return {
    store,
    async listen() {
      const { host, port } = config.listen
      try {
        address = await endpoint.listen(host, port)
      } catch (cause) {
        throw listenProblem('s3', { host, port }, cause)
      }
      return urlOf(address)
    },
    publicStore: () => ({
      publicEndpoint: config.publicEndpoint,
      port: (address ?? config.listen).port,
      scheme: 'http',
      region
    }),
    address: () => address,
    revokeCredentials: (deviceId) => void identity.revokeSessions({ deviceId }),
    inFlightBodies: () => endpoint.inFlightBodies(),
    stopListening: (deadlineMs) => endpoint.close(deadlineMs),
    async close() {
      await store.close()
      await engine.close()
      identity.close()
    }
  }
}

/** The engine with its bucket; closed again when the bucket cannot be made. */
async function openEngine(
  options: StorageEngineOptions,
  { dataDir, onObjectDamaged }: OpenStoreOptions,
  bucket: string
): Promise<StorageEngine> {
  const engine = await createStorageEngine(options)
  engine.onObjectDamaged((event) => {
    if (event.bucket === bucket) onObjectDamaged(event.key)
  })
  try {
    await rememberStore(dataDir, engine.storeId)
    await engine.createBucket({ name: bucket, owner: STORE_OWNER })
    return engine
  } catch (error) {
    await engine.close()
    throw error
  }
}

/** In-process twin of the AssumeRole route: the same sessions, without a signature of our own. */
function issueFrom(identity: IdentityService, bucket: string): IssueCredentials {
  return ({ workspaceId, prefixes, durationSeconds, deviceId }) =>
    identity.issueSession({
      workspaceId,
      deviceId,
      durationSeconds,
      policy: buildSessionPolicy({ bucket, prefixes, mode: 'embedded' })
    })
}

/** The service user behind presigned links: object bytes of the one bucket, nothing else. */
function linkSigner(identity: IdentityService, bucket: string): StaticKey {
  const name = 'flightcase-links'
  const existing = identity.listServiceUsers().find((user) => user.name === name)
  const credential = existing && identity.findCredential(existing.accessKeyId)
  if (credential) return credential
  return identity.createServiceUser({
    name,
    policy: {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: ['s3:GetObject', 's3:PutObject'], Resource: [`arn:aws:s3:::${bucket}/*`] }]
    }
  })
}

function openExternal(config: Extract<StoreConfig, { mode: 'external' }>): OpenStore {
  const url = new URL(config.endpoint)
  const scheme = url.protocol === 'https:' ? 'https' : 'http'
  const store = new S3ObjectStore({
    endpoint: config.endpoint,
    publicEndpoint: () => config.publicEndpoint ?? config.endpoint,
    region: config.region,
    bucket: config.bucket,
    credentials: { accessKeyId: config.accessKey, secretAccessKey: config.secretKey }
  })
  return {
    store,
    listen: async () => config.endpoint,
    publicStore: () => ({
      publicEndpoint: config.publicEndpoint,
      port: Number(url.port || (scheme === 'https' ? 443 : 80)),
      scheme,
      region: config.region
    }),
    address: () => null,
    revokeCredentials: () => {},
    inFlightBodies: () => 0,
    stopListening: async () => {},
    close: () => store.close()
  }
}
