import { createHash, randomBytes, randomInt } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { openDatabase } from '../../db/database.ts'
import { StartupError } from '../../errors.ts'
import { type Policy, PolicyError, parsePolicy } from '../policy/policy.ts'
import { identityMigrations } from './identity-migrations.ts'
import { IdentityRepository, type ServiceUser, type SessionInfo } from './identity-repository.ts'
import { KEY_ID, loadOrCreateRootKey, StoreKeys } from './root-key.ts'
import { sessionToken, tokensEqual } from './session-token.ts'

export const MIN_SESSION_SECONDS = 900
export const MAX_SESSION_SECONDS = 43_200
export const DEFAULT_SESSION_SECONDS = 3600
const MAX_SESSION_POLICY_LENGTH = 2048
const MAX_LIVE_SESSIONS_PER_DEVICE = 50
/** How long an ended session stays known, so that its holder is told "expired" instead of "unknown key". */
const KEEP_ENDED_SESSIONS_MS = 7 * 24 * 3600_000
const MAX_COMPILED_POLICIES = 256
const MAX_KNOWN_SECRETS = 256
const MAX_CLOCK_STEP_BACK_MS = 15 * 60_000

/** Owner of the buckets that belong to the installation as a whole. */
export const STORE_OWNER = 'flightcase'
/** The built-in service user behind sessions that the daemon issues itself. Its secret is never shown. */
const DAEMON_USER = 'flightcase-daemon'

export interface SessionRequest {
  /** `[A-Za-z0-9._-]`, at most 64 characters. */
  workspaceId?: string | undefined
  deviceId?: string | undefined
  /** IAM policy document; at most 2048 characters of JSON. Left out, the parent's rights apply. */
  policy?: object | string | undefined
  /** 900 … 43 200 */
  durationSeconds: number
  /** Access key id of the service user whose rights cap the session; the daemon's own user when left out. */
  parent?: string | undefined
  /** Label shown in diagnostics and answered by GetCallerIdentity. */
  sessionName?: string | undefined
}

export interface SessionCredentials {
  accessKeyId: string
  secretAccessKey: string
  sessionToken: string
  expiresAtMs: number
}

export interface ServiceUserRequest {
  /** Unique, for people. */
  name: string
  policy: object
  /** May call AssumeRole. */
  canAssume?: boolean
  /** Owner of what the user creates; the installation when left out. */
  ownerId?: string
  /** Both or neither; random when left out. */
  accessKeyId?: string
  secretAccessKey?: string
}

/** Whoever holds an access key. The secret never leaves the process. */
export interface Credential {
  accessKeyId: string
  secretAccessKey: string
  /** The long-term user, also behind a session. */
  user: ServiceUser
  session: SessionInfo | null
  /** All of them must allow a request. */
  policies: readonly Policy[]
}

export type IdentityErrorCode = 'AccessDenied' | 'MalformedPolicyDocument' | 'PackedPolicyTooLarge' | 'ValidationError'

/** A refusal to issue or change credentials. Codes are those of the STS protocol. */
export class IdentityError extends Error {
  readonly code: IdentityErrorCode
  constructor(code: IdentityErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'IdentityError'
    this.code = code
  }
}

/** Who may use the object store: long-term service users and temporary sessions. Everything is durable when it returns. */
export interface IdentityService {
  /**
   * Issues temporary credentials. A device keeps at most 50 live sessions; the oldest ends when one more is issued.
   * @throws IdentityError
   */
  issueSession(request: SessionRequest): SessionCredentials
  /** Ends one session at once. False when there is no live session of that key. */
  revokeSession(accessKeyId: string): boolean
  /** Ends all live sessions of a workspace, a device or a parent; returns how many there were. */
  revokeSessions(filter: { workspaceId: string } | { deviceId: string } | { parent: string }): number
  /** Sessions that are neither expired nor revoked, newest first. */
  listLiveSessions(): SessionInfo[]
  /** @throws IdentityError ValidationError when the name or key is taken, MalformedPolicyDocument */
  createServiceUser(request: ServiceUserRequest): { accessKeyId: string; secretAccessKey: string }
  listServiceUsers(): ServiceUser[]
  /** Ends a user and every session issued under it. False when there is no such active user. */
  disableServiceUser(accessKeyId: string): boolean
  /** The holder of a key, including ended sessions; undefined for unknown keys and disabled users. */
  findCredential(accessKeyId: string): Credential | undefined
  /** Judges a session token against the credential that signed. Call it only after the signature has been verified. */
  judgeToken(credential: Credential, token: string | undefined): 'valid' | 'invalid' | 'expired'
  close(): void
}

export interface IdentityOptions {
  /** Directory of the store; holds `identity.db` and, unless a key is given, `root.key`. */
  directory: string
  /** 32 bytes kept elsewhere, such as the system's key chain. */
  rootKey?: Buffer | undefined
  log: Logger
  clock?: (() => number) | undefined
}

/**
 * Opens the identity database of a store, creating database and root key on first use.
 * @throws StartupError database_newer, root_key_missing, root_key_mismatch, root_key_malformed
 */
export function openIdentityService({ directory, rootKey, log, clock = Date.now }: IdentityOptions): IdentityService {
  const databasePath = join(directory, 'identity.db')
  const keyPath = join(directory, 'root.key')
  if (rootKey === undefined && existsSync(databasePath) && !existsSync(keyPath))
    throw new StartupError(
      'root_key_missing',
      `${keyPath} is missing, so the credentials in ${databasePath} cannot be read. Restore the key from a backup.`
    )
  const keys = new StoreKeys(rootKey ?? loadOrCreateRootKey(keyPath))
  const db = openDatabase(databasePath, identityMigrations)
  try {
    return new SqliteIdentityService(new IdentityRepository(db), keys, log, clock)
  } catch (error) {
    db.close()
    throw error
  }
}

class SqliteIdentityService implements IdentityService {
  readonly #rows: IdentityRepository
  readonly #keys: StoreKeys
  readonly #log: Logger
  readonly #clock: () => number
  readonly #compiled = new Map<string, Policy>()
  readonly #secrets = new Map<string, { stored: Buffer; secret: string }>()
  readonly #daemonUser: string

  constructor(rows: IdentityRepository, keys: StoreKeys, log: Logger, clock: () => number) {
    this.#rows = rows
    this.#keys = keys
    this.#log = log
    this.#clock = clock
    this.#assertRootKey()
    this.#checkClock()
    rows.forgetSessionsEndedBefore(clock() - KEEP_ENDED_SESSIONS_MS)
    this.#daemonUser = this.#ensureDaemonUser()
  }

  issueSession(request: SessionRequest): SessionCredentials {
    assertSessionRequest(request)
    const { workspaceId = null, deviceId = null, durationSeconds, parent = this.#daemonUser } = request
    const user = this.#rows.findUser(parent)?.user
    if (user === undefined || user.disabledAtMs !== null || !user.canAssume)
      throw new IdentityError('AccessDenied', 'This user may not issue temporary credentials.')
    const policyJson = sessionPolicyJson(request.policy)

    const createdAtMs = this.#clock()
    const session = {
      accessKeyId: randomAccessKeyId('FCS'),
      parent,
      sessionName: request.sessionName ?? workspaceId ?? 'session',
      workspaceId,
      deviceId,
      createdAtMs,
      expiresAtMs: createdAtMs + durationSeconds * 1000,
      revokedAtMs: null
    }
    const salt = randomBytes(16)
    const sessionId = this.#rows.transaction(() => {
      if (deviceId !== null) this.#rows.revokeOldest(deviceId, MAX_LIVE_SESSIONS_PER_DEVICE - 1, createdAtMs)
      this.#rememberClock(createdAtMs)
      return this.#rows.insertSession({ session, keyId: KEY_ID, salt, policyJson })
    })
    const { accessKeyId, expiresAtMs } = session
    const policyHash = policyJson && createHash('sha256').update(policyJson).digest('hex').slice(0, 16)
    this.#log.info({ accessKeyId, parent, workspaceId, deviceId, policyHash, expiresAtMs }, 'session issued')
    return {
      accessKeyId,
      secretAccessKey: this.#keys.sessionSecret(accessKeyId, salt),
      sessionToken: sessionToken(this.#keys, { keyId: KEY_ID, sessionId, accessKeyId, expiresAtMs }),
      expiresAtMs
    }
  }

  revokeSession(accessKeyId: string): boolean {
    return this.#revoke('access_key_id', accessKeyId) > 0
  }

  revokeSessions(filter: { workspaceId: string } | { deviceId: string } | { parent: string }): number {
    if ('workspaceId' in filter) return this.#revoke('workspace_id', filter.workspaceId)
    if ('deviceId' in filter) return this.#revoke('device_id', filter.deviceId)
    return this.#revoke('parent', filter.parent)
  }

  listLiveSessions(): SessionInfo[] {
    return this.#rows.listLiveSessions(this.#clock())
  }

  createServiceUser(request: ServiceUserRequest): { accessKeyId: string; secretAccessKey: string } {
    const { name, canAssume = false, ownerId = STORE_OWNER } = request
    const accessKeyId = request.accessKeyId ?? randomAccessKeyId('FCU')
    const secretAccessKey = request.secretAccessKey ?? randomSecret()
    const policyJson = JSON.stringify(request.policy)
    compilePolicy(policyJson)
    if (accessKeyId === '' || secretAccessKey.length < 8 || name === '')
      throw new IdentityError('ValidationError', 'A service user needs a name, a key and a secret of 8 characters.')
    const user = { accessKeyId, name, ownerId, canAssume, createdAtMs: this.#clock(), disabledAtMs: null }
    const wrappedSecret = this.#keys.wrapSecret(accessKeyId, secretAccessKey)
    this.#rows.transaction(() => {
      if (this.#rows.isTaken(accessKeyId, name))
        throw new IdentityError('ValidationError', `There is already a service user of that name or key (${name}).`)
      this.#rows.insertUser({ user, wrappedSecret, policyJson }, KEY_ID)
    })
    this.#log.info({ accessKeyId, name, ownerId, canAssume }, 'service user created')
    return { accessKeyId, secretAccessKey }
  }

  listServiceUsers(): ServiceUser[] {
    return this.#rows.listUsers()
  }

  disableServiceUser(accessKeyId: string): boolean {
    const disabled = this.#rows.disableUser(accessKeyId, this.#clock())
    if (disabled) this.#log.info({ accessKeyId }, 'service user disabled')
    return disabled
  }

  findCredential(accessKeyId: string): Credential | undefined {
    const temporary = this.#rows.findSession(accessKeyId)
    const longTerm = this.#rows.findUser(temporary?.session.parent ?? accessKeyId)
    if (longTerm === undefined || longTerm.user.disabledAtMs !== null) return undefined
    const policyTexts = [longTerm.policyJson, temporary?.policyJson ?? null].filter((text) => text !== null)
    return {
      accessKeyId,
      secretAccessKey: temporary
        ? this.#secret(accessKeyId, temporary.salt, (salt) => this.#keys.sessionSecret(accessKeyId, salt))
        : this.#secret(accessKeyId, longTerm.wrappedSecret, (wrapped) => this.#keys.unwrapSecret(accessKeyId, wrapped)),
      user: longTerm.user,
      session: temporary?.session ?? null,
      policies: policyTexts.map((text) => this.#compiledPolicy(text))
    }
  }

  judgeToken({ accessKeyId, session }: Credential, token: string | undefined): 'valid' | 'invalid' | 'expired' {
    if (session === null) return token === undefined ? 'valid' : 'invalid'
    const stored = this.#rows.findSession(accessKeyId)
    if (stored === undefined || token === undefined || stored.session.revokedAtMs !== null) return 'invalid'
    const { id: sessionId, keyId } = stored
    const { expiresAtMs } = session
    const expected = sessionToken(this.#keys, { keyId, sessionId, accessKeyId, expiresAtMs })
    if (!tokensEqual(expected, token)) return 'invalid'
    return this.#clock() < expiresAtMs ? 'valid' : 'expired'
  }

  close(): void {
    this.#rows.close()
  }

  #assertRootKey(): void {
    const stored = this.#rows.fact('root_key_fingerprint')
    if (stored === undefined) this.#rows.setFact('root_key_fingerprint', this.#keys.fingerprint)
    else if (stored !== this.#keys.fingerprint)
      throw new StartupError(
        'root_key_mismatch',
        'The root key does not belong to the credentials of this object store. Restore the key and identity.db together.'
      )
  }

  /**
   * A clock set back would make expired sessions valid again, so all of them end. Issuing goes on: a laptop in the field has
   * nobody to ask what time it is.
   */
  #checkClock(): void {
    const nowMs = this.#clock()
    const highWaterMs = Number(this.#rows.fact('clock_high_water_ms') ?? 0)
    if (nowMs >= highWaterMs - MAX_CLOCK_STEP_BACK_MS) return
    const sessions = this.#rows.revokeAll(nowMs)
    this.#rows.setFact('clock_high_water_ms', String(nowMs))
    this.#log.warn({ highWaterMs, nowMs, sessions }, 'the clock was set back, all sessions end')
  }

  #rememberClock(nowMs: number): void {
    if (nowMs > Number(this.#rows.fact('clock_high_water_ms') ?? 0))
      this.#rows.setFact('clock_high_water_ms', String(nowMs))
  }

  #ensureDaemonUser(): string {
    const known = this.listServiceUsers().find((user) => user.name === DAEMON_USER)
    if (known !== undefined) return known.accessKeyId
    return this.createServiceUser({
      name: DAEMON_USER,
      canAssume: true,
      policy: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: ['s3:*', 'sts:*'], Resource: '*' }] }
    }).accessKeyId
  }

  #revoke(column: 'access_key_id' | 'workspace_id' | 'device_id' | 'parent', value: string): number {
    const sessions = this.#rows.revokeWhere(column, value, this.#clock())
    if (sessions > 0) this.#log.info({ [column]: value, sessions }, 'sessions revoked')
    return sessions
  }

  /** What `make` makes of the stored bytes, remembered for as long as the row holds the same ones: every request asks. */
  #secret(accessKeyId: string, stored: Buffer, make: (stored: Buffer) => string): string {
    const known = this.#secrets.get(accessKeyId)
    if (known?.stored.equals(stored)) return known.secret
    if (this.#secrets.size >= MAX_KNOWN_SECRETS) this.#secrets.clear()
    const secret = make(stored)
    this.#secrets.set(accessKeyId, { stored, secret })
    return secret
  }

  #compiledPolicy(json: string): Policy {
    let policy = this.#compiled.get(json)
    if (policy === undefined) {
      if (this.#compiled.size >= MAX_COMPILED_POLICIES) this.#compiled.clear()
      policy = parsePolicy(json)
      this.#compiled.set(json, policy)
    }
    return policy
  }
}

function assertSessionRequest({ workspaceId, deviceId, durationSeconds }: SessionRequest): void {
  for (const [name, value] of Object.entries({ workspaceId, deviceId }))
    if (value !== undefined && !/^[A-Za-z0-9._-]{1,64}$/.test(value))
      throw new IdentityError('ValidationError', `The ${name} may only hold letters, digits, ".", "_" and "-".`)
  const inRange = durationSeconds >= MIN_SESSION_SECONDS && durationSeconds <= MAX_SESSION_SECONDS
  if (!Number.isInteger(durationSeconds) || !inRange)
    throw new IdentityError(
      'ValidationError',
      `DurationSeconds must be a whole number between ${MIN_SESSION_SECONDS} and ${MAX_SESSION_SECONDS}.`
    )
}

function sessionPolicyJson(policy: object | string | undefined): string | null {
  if (policy === undefined) return null
  const json = typeof policy === 'string' ? policy : JSON.stringify(policy)
  if (json.length > MAX_SESSION_POLICY_LENGTH)
    throw new IdentityError(
      'PackedPolicyTooLarge',
      `The session policy has ${json.length} characters; ${MAX_SESSION_POLICY_LENGTH} are allowed.`
    )
  compilePolicy(json)
  return json
}

function compilePolicy(json: string): Policy {
  try {
    return parsePolicy(json)
  } catch (error) {
    if (error instanceof PolicyError)
      throw new IdentityError('MalformedPolicyDocument', error.message, { cause: error })
    throw error
  }
}

/** 20 characters of `[A-Z0-9]`: clients put the id into URLs and headers without encoding. */
function randomAccessKeyId(prefix: string): string {
  return prefix + randomText('ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789', 20 - prefix.length)
}

/** 40 characters without `/` and `+`, which careless clients encode wrongly. */
function randomSecret(): string {
  return randomText('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789', 40)
}

function randomText(alphabet: string, length: number): string {
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('')
}
