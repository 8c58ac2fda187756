import { newId } from '../ids.ts'
import { ObjectStoreError, type ObjectStoreErrorCode } from './object-store.ts'
import { errorName, isMissingBucket } from './s3-errors.ts'
import { S3ObjectStore, type S3ObjectStoreOptions } from './s3-object-store.ts'

/** In the order in which they are tried. */
export const connectionSteps = ['reach', 'clock', 'credentials', 'bucket', 'write', 'sts', 'policy'] as const
export type ConnectionStepName = (typeof connectionSteps)[number]

/** What was found, beside `ok` for a step that went well and `not_tried` for one that an earlier failure made pointless. */
export type ConnectionDetail =
  | 'ok'
  | 'not_tried'
  /** reach: nothing listens there. */
  | 'refused'
  /** reach: no machine has this name. */
  | 'unknown_host'
  /** reach: the certificate is not one this machine trusts. */
  | 'untrusted_certificate'
  /** reach: no answer in time, or the way is broken. */
  | 'no_answer'
  /** clock: this machine and the store are more than five minutes apart. */
  | 'clock_differs'
  | 'unknown_access_key'
  | 'wrong_secret_key'
  /** bucket: there is none of this name. */
  | 'no_bucket'
  /** bucket: it lies in another region than the one set. */
  | 'wrong_region'
  /** bucket, write: the access key has no right to it. */
  | 'denied'
  | 'full'
  /** write: what is read back is not what was written. */
  | 'other_bytes'
  /** sts: the server has no temporary credentials. */
  | 'no_sts'
  /** sts: the access key gets no temporary credentials; where there are roles, that one is unknown or not for this key. */
  | 'sts_refused'
  /** sts: a role is needed and none was named, or what was named is none. */
  | 'wrong_role'
  /** policy: temporary credentials may do more than add objects below their prefix. */
  | 'too_wide'
  /** policy: temporary credentials may not even add objects below their prefix. */
  | 'too_narrow'
  /** The server said something else; its words are in `reported`. */
  | 'unexpected'

export type ConnectionStep = {
  name: ConnectionStepName
  outcome: 'ok' | 'failed' | 'skipped'
  detail: ConnectionDetail
  /** What the server or the network said, for a step that failed. */
  reported: string | null
}

const CLOCK_DIFFERENCE_MS = 5 * 60_000
const REACH_MS = 5000
const BYTES = Buffer.from('flightcase connection check')

/**
 * Tries out an S3 server with these settings the way the base will use it, and says for each thing it needs whether it is there.
 * Never rejects. What it writes lies below `folder` (ends in `/`) and is removed again.
 */
export async function checkConnection(options: S3ObjectStoreOptions, folder = '.health/'): Promise<ConnectionStep[]> {
  const place = `${folder}${newId()}/`
  const store = new S3ObjectStore(options)
  const steps = new Steps()
  try {
    const clock = options.clock ?? Date.now
    const dateMs = await steps.try('reach', () => reach(options.endpoint))
    if (!steps.failed) await steps.try('clock', async () => assertClock(dateMs ?? null, clock()))
    if (!steps.failed) await tryBucket(steps, store)
    if (!steps.failed) await steps.try('write', () => writeAndRead(store, `${place}written`))
    if (steps.isOk('bucket')) await tryCredentials(steps, store, options, place)
  } finally {
    await store.close()
  }
  return steps.all()
}

/** The steps made so far. */
class Steps {
  readonly #made = new Map<ConnectionStepName, ConnectionStep>()
  failed = false

  /** Makes a step; undefined when it failed. */
  async try<T>(name: ConnectionStepName, work: () => Promise<T>): Promise<T | undefined> {
    try {
      const result = await work()
      this.#made.set(name, { name, outcome: 'ok', detail: 'ok', reported: null })
      return result
    } catch (error) {
      this.fail(name, error)
      return undefined
    }
  }

  fail(name: ConnectionStepName, error: unknown): void {
    this.failed = true
    const detail = error instanceof Finding ? error.detail : detailOf(error, name)
    const reported = error instanceof Finding ? error.reported : error instanceof Error ? error.message : String(error)
    this.#made.set(name, { name, outcome: 'failed', detail, reported })
  }

  isOk(name: ConnectionStepName): boolean {
    return this.#made.get(name)?.outcome === 'ok'
  }

  all(): ConnectionStep[] {
    return connectionSteps.map(
      (name) => this.#made.get(name) ?? { name, outcome: 'skipped', detail: 'not_tried', reported: null }
    )
  }
}

/** Ends a step with something that is no error of the server. */
class Finding extends Error {
  readonly detail: ConnectionDetail
  readonly reported: string | null

  constructor(detail: ConnectionDetail, reported: string | null = null) {
    super(detail)
    this.detail = detail
    this.reported = reported
  }
}

/** Any answer will do. Gives the server's clock, null when it does not tell. */
async function reach(endpoint: string): Promise<number | null> {
  try {
    const signal = AbortSignal.timeout(REACH_MS)
    const answer = await fetch(`${endpoint}/`, { method: 'HEAD', redirect: 'manual', signal })
    const dateMs = Date.parse(answer.headers.get('date') ?? '')
    return Number.isNaN(dateMs) ? null : dateMs
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
    throw new Finding(networkDetail(code), cause instanceof Error ? cause.message || code : String(cause))
  }
}

function networkDetail(code: string): ConnectionDetail {
  if (code === 'ECONNREFUSED') return 'refused'
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'unknown_host'
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code)) return 'untrusted_certificate'
  return 'no_answer'
}

function assertClock(storeMs: number | null, nowMs: number): void {
  if (storeMs !== null && Math.abs(storeMs - nowMs) > CLOCK_DIFFERENCE_MS)
    throw new Finding('clock_differs', new Date(storeMs).toISOString())
}

/** One listing tells of the access key and of the bucket: unlike HEAD its refusals have names. */
async function tryBucket(steps: Steps, store: S3ObjectStore): Promise<void> {
  try {
    await store.list({ limit: 1 })
  } catch (error) {
    const detail = detailOf(error, 'bucket')
    if (!['no_bucket', 'denied', 'wrong_region'].includes(detail)) return steps.fail('credentials', error)
    steps.fail('bucket', error)
  }
  await steps.try('credentials', async () => {})
  if (!steps.failed) await steps.try('bucket', async () => {})
}

async function writeAndRead(store: S3ObjectStore, key: string): Promise<void> {
  await store.put(key, BYTES)
  try {
    const { stream } = await store.getStream(key)
    const chunks: Buffer[] = []
    for await (const chunk of stream) chunks.push(Buffer.from(chunk))
    if (!Buffer.concat(chunks).equals(BYTES)) throw new Finding('other_bytes')
  } finally {
    await store.delete(key)
  }
}

/** Temporary credentials as a controller gets them, and what they are good for. */
async function tryCredentials(
  steps: Steps,
  store: S3ObjectStore,
  options: S3ObjectStoreOptions,
  place: string
): Promise<void> {
  const request = { workspaceId: 'connection-check', prefixes: [`${place}inside/`], durationSeconds: 900 }
  const credentials = await steps.try('sts', () => store.issueCredentials(request))
  if (credentials === undefined) return
  const limited = new S3ObjectStore({ ...options, credentials })
  await steps.try('policy', () => assertLeastPrivilege(store, limited, place))
  await limited.close()
}

/** Raises a {@link Finding} unless `limited` can add below its prefix and can neither add elsewhere, nor delete, nor list. */
async function assertLeastPrivilege(store: S3ObjectStore, limited: S3ObjectStore, place: string): Promise<void> {
  const inside = `${place}inside/object`
  const outside = `${place}outside`
  try {
    const refusal = await refusalOf(() => limited.put(inside, BYTES))
    // Looking at what was written may be forbidden, so it is looked at with the other key.
    if ((await store.head(inside)) === null) throw new Finding('too_narrow', refusal?.message ?? null)
    await refusalOf(() => limited.put(outside, BYTES))
    if ((await store.head(outside)) !== null) throw tooWide('write outside their prefix')
    if ((await refusalOf(() => limited.delete(inside))) === null) throw tooWide('delete')
    if ((await refusalOf(() => limited.list({ limit: 1 }))) === null) throw tooWide('list the bucket')
  } finally {
    await store.deleteMany([inside, outside])
  }
}

const tooWide = (what: string) => new Finding('too_wide', `Temporary credentials can ${what}.`)

/** The refusal that `work` meets; null when it is let through. */
async function refusalOf(work: () => Promise<unknown>): Promise<ObjectStoreError | null> {
  try {
    await work()
    return null
  } catch (error) {
    if (error instanceof ObjectStoreError && error.code === 'AccessDenied') return error
    throw error
  }
}

const BY_NAME: Record<string, ConnectionDetail> = {
  InvalidAccessKeyId: 'unknown_access_key',
  InvalidClientTokenId: 'unknown_access_key',
  SignatureDoesNotMatch: 'wrong_secret_key',
  PermanentRedirect: 'wrong_region',
  AuthorizationHeaderMalformed: 'wrong_region',
  InvalidRegion: 'wrong_region'
}

const BY_CODE: Partial<Record<ObjectStoreErrorCode, ConnectionDetail>> = {
  AccessDenied: 'denied',
  ClockSkew: 'clock_differs',
  StorageFull: 'full',
  Unreachable: 'no_answer'
}

/** Servers without AssumeRole answer the POST with any of these. */
const NO_STS = new Set(['NotImplemented', 'MethodNotAllowed', 'InvalidAction', 'InvalidArgument', 'NotFound'])

const NO_ROLE = new Set(['NoSuchEntity', 'NoSuchEntityException', 'NoSuchRole', 'MalformedArn'])
const ABOUT_A_PARAMETER = new Set(['ValidationError', 'MissingParameter', 'InvalidParameterValue', 'InvalidRequest'])

function detailOf(error: unknown, step: ConnectionStepName): ConnectionDetail {
  if (!(error instanceof ObjectStoreError)) return 'unexpected'
  if (isMissingBucket(error.cause)) return 'no_bucket'
  const name = errorName(error.cause)
  if (step === 'sts') {
    if (NO_STS.has(name)) return 'no_sts'
    if (NO_ROLE.has(name) || (ABOUT_A_PARAMETER.has(name) && /role|arn/i.test(error.message))) return 'wrong_role'
    if (name === 'AccessDenied') return 'sts_refused'
  }
  return BY_NAME[name] ?? BY_CODE[error.code] ?? 'unexpected'
}
