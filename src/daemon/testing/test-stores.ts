import { randomBytes } from 'node:crypto'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'
import { EndpointHarness } from '../embedded-store/endpoint/endpoint-harness.ts'
import { EngineHarness } from '../embedded-store/engine/engine-harness.ts'
import { LocalObjectStore } from '../object-store/local-object-store.ts'
import type { IssueCredentials, ObjectStore } from '../object-store/object-store.ts'
import { Presigner } from '../object-store/presigner.ts'
import { S3ObjectStore, type S3ObjectStoreOptions } from '../object-store/s3-object-store.ts'
import { buildSessionPolicy } from '../object-store/session-policy.ts'
import { ScriptedS3 } from './scripted-s3.ts'

const key = { accessKeyId: 'key', secretAccessKey: 'secret' }

/** The embedded store on a directory of its own, closed with the test. Its credentials open nothing: no endpoint runs. */
export async function openEmbeddedStore(): Promise<LocalObjectStore> {
  const harness = await EngineHarness.open()
  onTestFinished(() => harness.dispose())
  return localStore(harness, ({ durationSeconds }) => ({
    ...key,
    sessionToken: randomBytes(8).toString('hex'),
    expiresAtMs: Date.now() + durationSeconds * 1000
  }))
}

/** The embedded store with its endpoint, so that the credentials it issues are good for something. */
export async function openEmbeddedEndpoint(): Promise<{ store: LocalObjectStore; harness: EndpointHarness }> {
  const harness = await EndpointHarness.open()
  onTestFinished(() => harness.dispose())
  const store = localStore(harness, ({ workspaceId, deviceId, prefixes, durationSeconds }) =>
    harness.identity.issueSession({
      workspaceId,
      deviceId,
      durationSeconds,
      policy: buildSessionPolicy({ bucket: 'media', prefixes, mode: 'embedded' })
    })
  )
  return { store, harness }
}

function localStore({ engine }: Pick<EngineHarness, 'engine'>, issueCredentials: IssueCredentials): LocalObjectStore {
  return new LocalObjectStore({
    engine,
    bucket: 'media',
    issueCredentials,
    presigner: new Presigner({
      bucket: 'media',
      region: 'us-east-1',
      endpoint: () => 'http://192.0.2.1:9000',
      credentials: () => key,
      forcePathStyle: true
    })
  })
}

/** The driver for external stores and the server it talks to. */
export async function openExternalStore(
  options: Partial<S3ObjectStoreOptions> = {}
): Promise<{ store: S3ObjectStore; s3: ScriptedS3 }> {
  const s3 = await ScriptedS3.start()
  const { endpoint, bucket } = s3
  const store = new S3ObjectStore({ endpoint, region: 'us-east-1', bucket, credentials: key, ...options })
  onTestFinished(() => store.close())
  return { store, s3 }
}

/** How often the store was asked about a single object while `work` ran. */
export async function countHeads(store: ObjectStore, work: () => Promise<unknown>): Promise<number> {
  const head = store.head.bind(store)
  let heads = 0
  store.head = (objectKey) => {
    heads++
    return head(objectKey)
  }
  try {
    await work()
  } finally {
    store.head = head
  }
  return heads
}

/** Every key, in listing order. */
export async function allKeys(store: ObjectStore): Promise<string[]> {
  const keys: string[] = []
  let cursor: string | null = null
  do {
    const page = await store.list(cursor === null ? {} : { cursor })
    keys.push(...page.objects.map((object) => object.key))
    cursor = page.cursor
  } while (cursor !== null)
  return keys
}

/** The object as text; undefined when there is none or its tag is another one. */
export async function readText(store: ObjectStore, objectKey: string, etag?: string): Promise<string | undefined> {
  const stat = await store.head(objectKey)
  if (!stat || (etag !== undefined && stat.etag !== etag)) return undefined
  return text((await store.getStream(objectKey)).stream)
}
