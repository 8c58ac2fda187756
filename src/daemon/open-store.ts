import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { ListenAddress } from './config/settings/listeners.ts'
import type { EndpointConfig, StoreConfig } from './config/settings/store.ts'
import type { Database } from './db/database.ts'
import {
  type IdentityService,
  openIdentityService,
  STORE_OWNER
} from './embedded-store/credentials/identity-service.ts'
import { type DeniedAction, DeniedActions } from './embedded-store/endpoint/denied-actions.ts'
import type { AnsweredEvent } from './embedded-store/endpoint/pipeline.ts'
import { createS3Endpoint } from './embedded-store/endpoint/s3-endpoint.ts'
import type { ServedStorage } from './embedded-store/endpoint/served-storage.ts'
import type { UploadProgressEvent } from './embedded-store/endpoint/upload-progress.ts'
import { createStorageEngine, type StorageEngineOptions } from './embedded-store/engine/create-storage-engine.ts'
import type { StorageEngine } from './embedded-store/engine/storage-engine.ts'
import type { StoreMaintenance } from './embedded-store/engine/store-maintenance.ts'
import { openGateway } from './embedded-store/gateway/gateway-storage.ts'
import { assertKnownStore, rememberStore } from './embedded-store/known-store.ts'
import { listenProblem, urlOf } from './http/listener.ts'
import { externalOptions } from './object-store/external-options.ts'
import { LocalObjectStore } from './object-store/local-object-store.ts'
import type { IssueCredentials, ObjectStore } from './object-store/object-store.ts'
import { Presigner, type StaticKey } from './object-store/presigner.ts'
import { type PublicStore, publicStoreAt } from './object-store/public-store.ts'
import { S3ObjectStore } from './object-store/s3-object-store.ts'
import { buildSessionPolicy } from './object-store/session-policy.ts'
import { storeProfiles } from './object-store/store-profiles.ts'
import { IdentifiedStore } from './store-identity/identified-store.ts'
import { StoreBook } from './store-identity/store-book.ts'
import { StoreIdentity } from './store-identity/store-identity.ts'

/** How long the start waits for a store that does not answer. */
const BUCKET_MS = 5000

/** The object store of the configuration with whatever has to run for it. */
export interface OpenStore {
  store: ObjectStore
  /** Usage and wholeness of the embedded store; null for an external one. */
  maintenance: StoreMaintenance | null
  /** Opens the embedded endpoint, if there is one, and returns the base URL of the store as this machine sees it. */
  listen(): Promise<string>
  /** Where controllers find the store beside the host they already use. */
  publicStore(): PublicStore
  /** The embedded endpoint's address; null for an external store or before it listens. */
  address(): ListenAddress | null
  /**
   * Ends the temporary credentials issued to this device. Those of an external store stay good until they expire: the
   * protocol has no word for taking them back.
   */
  revokeCredentials(deviceId: string): void
  /** Uploads being received now. */
  inFlightBodies(): number
  /** What well-signed requests to the embedded endpoint were refused since the start, the latest first. Empty for an external store. */
  deniedActions(): DeniedAction[]
  /** Takes no more requests and lets running ones end until the deadline. */
  stopListening(deadlineMs: number): Promise<void>
  close(): Promise<void>
}

export interface OpenStoreOptions {
  config: StoreConfig
  dataDir: string
  /** The catalogue, which knows its stores. */
  db: Database
  log: Logger
  onUploadProgress: (event: UploadProgressEvent) => void
  /** Origins of the pages that may use signed links to the embedded store. */
  pageOrigins: () => readonly string[]
  /** A request to the embedded endpoint was answered. */
  onAnswered: (event: AnsweredEvent) => void
  /** Whether the base holds nothing yet. A bucket that is missing later is a mistake: a new one would have nothing of the catalogue. */
  isNew: boolean
  /** An object of the embedded store was found to have lost its bytes; told again at each start while it is so. */
  onObjectDamaged: (key: string) => void
  /** Whether stored bytes may be read now just to check or tidy them; asked all the time. Always, unless given. */
  mayScrub?: () => boolean
}

/** Opens the store of the configuration. Throws `StartupError` when it cannot be used at all. */
export function openStore(options: OpenStoreOptions): Promise<OpenStore> | OpenStore {
  const { config } = options
  if (config.mode === 'embedded') return openEmbedded(options, config)
  return config.mode === 'gateway' ? openBehindGateway(options, config) : openExternal(options, config)
}

async function openEmbedded(
  options: OpenStoreOptions,
  config: Extract<StoreConfig, { mode: 'embedded' }>
): Promise<OpenStore> {
  const { bucket } = config
  const log = options.log.child({ part: 's3' })
  const directory = join(options.dataDir, 'store')
  assertKnownStore(options.dataDir, directory)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const identity = openIdentityService({ directory, rootKey: config.rootKey ?? undefined, log })
  const engine = await openEngine({ directory, log }, options, bucket).catch((error: unknown) => {
    identity.close()
    throw error
  })
  const endpoint = openEndpoint(options, config, { identity, storage: engine })
  const issueCredentials = issueFrom(identity, bucket)
  const own = new LocalObjectStore({ engine, bucket, issueCredentials, presigner: endpoint.presigner })
  const book = new StoreBook(options.db)
  book.noteEmbedded()
  const store = new IdentifiedStore(own, book, null)
  return {
    ...endpoint.openings,
    store,
    maintenance: engine.maintenance,
    async close() {
      await store.close()
      await engine.close()
      identity.close()
    }
  }
}

/** Controllers talk to the endpoint; the daemon itself talks to the server behind it. */
async function openBehindGateway(
  options: OpenStoreOptions,
  config: Extract<StoreConfig, { mode: 'gateway' }>
): Promise<OpenStore> {
  const { bucket } = config
  const directory = join(options.dataDir, 'gateway')
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const identity = openIdentityService({ directory, rootKey: config.rootKey ?? undefined, log: options.log })
  const server = externalOptions(config)
  const storage = await openGateway({ directory, server, owner: STORE_OWNER }).catch((error: unknown) => {
    identity.close()
    throw error
  })
  const { presigner, openings } = openEndpoint(options, config, { identity, storage })
  const s3 = new S3ObjectStore({ ...server, presigner, issueCredentials: issueFrom(identity, bucket) })
  const { store, prepare } = identified(s3, options, config)
  return {
    ...openings,
    store,
    maintenance: null,
    async listen() {
      await prepare()
      return openings.listen()
    },
    async close() {
      await store.close()
      await storage.close()
      identity.close()
    }
  }
}

/** The embedded endpoint over whatever keeps the objects, with what makes links to it. */
function openEndpoint(
  options: OpenStoreOptions,
  config: Extract<StoreConfig, EndpointConfig>,
  { identity, storage }: { identity: IdentityService; storage: ServedStorage }
): { presigner: Presigner; openings: Omit<OpenStore, 'store' | 'maintenance' | 'close'> } {
  const { bucket, region, publicEndpoint, explainSignatures } = config
  let address: ListenAddress | null = null
  const denied = new DeniedActions(Date.now)
  const endpoint = createS3Endpoint({
    engine: storage,
    identity,
    region,
    log: options.log.child({ part: 's3' }),
    explainSignatures,
    corsOrigins: options.pageOrigins,
    onUploadProgress: options.onUploadProgress,
    onAnswered: options.onAnswered,
    onDenied: (event) => denied.record(event)
  })
  const presigner = new Presigner({
    bucket,
    region,
    endpoint: () => publicEndpoint ?? urlOf(address ?? config.listen),
    credentials: () => linkSigner(identity, bucket),
    forcePathStyle: true
  })
  const openings = {
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
      publicEndpoint,
      port: (address ?? config.listen).port,
      scheme: 'http' as const,
      region,
      provider: 'minio' as const
    }),
    address: () => address,
    revokeCredentials: (deviceId: string) => void identity.revokeSessions({ deviceId }),
    inFlightBodies: () => endpoint.inFlightBodies(),
    deniedActions: () => denied.list(),
    stopListening: (deadlineMs: number) => endpoint.close(deadlineMs)
  }
  return { presigner, openings }
}

/** The engine with its bucket; closed again when the bucket cannot be made. */
async function openEngine(
  options: StorageEngineOptions,
  { dataDir, onObjectDamaged, mayScrub = () => true }: OpenStoreOptions,
  bucket: string
): Promise<StorageEngine> {
  const engine = await createStorageEngine({ ...options, mayScrub })
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

function openExternal(options: OpenStoreOptions, config: Extract<StoreConfig, { mode: 'external' }>): OpenStore {
  const { endpoint, region, publicEndpoint } = config
  const { provider } = storeProfiles[config.profile]
  const { store, prepare } = identified(new S3ObjectStore(externalOptions(config)), options, config)
  return {
    store,
    maintenance: null,
    async listen() {
      await prepare()
      return endpoint
    },
    publicStore: () => publicStoreAt(endpoint, { publicEndpoint, region, provider }),
    address: () => null,
    revokeCredentials: () => {},
    inFlightBodies: () => 0,
    deniedActions: () => [],
    stopListening: async () => {},
    close: () => store.close()
  }
}

/** A store of others that is used only while it is the one of the catalogue, and what is to be done with it before it is used. */
function identified(
  s3: S3ObjectStore,
  { db, isNew, log }: OpenStoreOptions,
  { endpoint, bucket, rootPrefix }: Exclude<StoreConfig, { mode: 'embedded' }>
): { store: ObjectStore; prepare: () => Promise<void> } {
  const book = new StoreBook(db)
  const identity = new StoreIdentity({ store: s3, book, place: { endpoint, bucket, rootPrefix }, log })
  return {
    store: new IdentifiedStore(s3, book, identity),
    async prepare() {
      if (isNew) await createBucket(s3, log)
      const known = identity.assertKnown().catch((error: unknown) => {
        log.warn({ err: error, bucket }, 'whether this is the object store of the catalogue could not be found out')
      })
      await Promise.race([known, pause(BUCKET_MS, undefined, { ref: false })])
    }
  }
}

/** A store that is away or refuses does not keep the base from starting: Doctor and the screen say what is wrong. */
async function createBucket(store: S3ObjectStore, log: Logger): Promise<void> {
  try {
    const isCreated = await store.createBucketIfMissing({ signal: AbortSignal.timeout(BUCKET_MS) })
    if (isCreated) log.info({ bucket: store.bucket }, 'the bucket was missing and has been created')
  } catch (error) {
    log.warn({ err: error, bucket: store.bucket }, 'whether the bucket is there could not be found out')
  }
}
