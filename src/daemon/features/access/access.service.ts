import { hash, randomBytes, scryptSync, timingSafeEqual } from 'node:crypto'
import type { Logger } from 'pino'
import type { z } from 'zod'
import type { tokenSchema } from '../../../shared/api/system.ts'
import type { AuditLog } from '../../audit/audit-log.ts'
import { type Clock, isoFromMs } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import { AppError } from '../../errors.ts'
import type { Caller } from '../../http/bind-endpoint.ts'
import { newId } from '../../ids.ts'
import type { WorkspaceScope } from '../../workspace-scope.ts'

export type Token = z.infer<typeof tokenSchema>
export type TokenRole = Token['role']

/** Whom a secret belongs to. `tokenId` is null for the fixed tokens of the configuration. */
export interface Identity {
  /** See `AuditActor`; of a session, what it was opened with. */
  actorId: string
  tokenId: string | null
  name: string
  role: TokenRole
  workspaceIds: WorkspaceScope
  expiresAtMs: number | null
}

interface TokenRow {
  id: string
  name: string
  role: TokenRole
  workspaces_json: string | null
  created_at_ms: number
  last_used_at_ms: number | null
  expires_at_ms: number | null
  revoked_at_ms: number | null
  is_session: number
  parent_id: string | null
  actor_id: string | null
}

const SESSION_LIFE_MS = 30 * 24 * 3600 * 1000
const LAST_USED_STEP_MS = 60_000
const CACHE_SIZE = 1000
/** Parent of the sessions opened with the admin token of the configuration. */
const CONFIGURED = 'configured'

export interface AccessServiceDeps {
  db: Database
  audit: AuditLog
  clock: Clock
  log: Logger
  /** The fixed tokens of the configuration. */
  adminToken: string | null
  pilotToken: string | null
  /** The admin token made for this start alone, where the configuration names none. */
  startToken?: string
}

/** Tokens and browser sessions. Only SHA-256 digests of secrets are stored; the secrets have 256 random bits. */
export class AccessService {
  readonly #db: Database
  readonly #audit: AuditLog
  readonly #clock: Clock
  readonly #log: Logger
  readonly #configured: { admin: string | null; controller: string | null }
  readonly #fixed: { digest: Buffer; identity: Identity }[] = []
  /** Digest → row, so that a busy controller costs no query a request; emptied by every change. */
  readonly #cache = new Map<string, TokenRow>()
  #dataVersion: number | undefined
  readonly #watchers: ((tokenId: string) => void)[] = []
  /** Tokens that ended, and whether every watcher could do its part. */
  readonly #ended = new Map<string, 'untold' | 'told'>()
  #cannotTell = false
  #cannotNoteUse = false

  constructor(deps: AccessServiceDeps) {
    this.#db = deps.db
    this.#audit = deps.audit
    this.#clock = deps.clock
    this.#log = deps.log
    this.#configured = { admin: deps.adminToken, controller: deps.pilotToken }
    const fixed = (secret: string | null, name: string, role: TokenRole): void => {
      if (secret === null) return
      const identity = {
        actorId: `${CONFIGURED}:${role}`,
        tokenId: null,
        name,
        role,
        workspaceIds: 'all' as const,
        expiresAtMs: null
      }
      this.#fixed.push({ digest: digestOf(secret), identity })
    }
    fixed(deps.adminToken ?? deps.startToken ?? null, 'admin', 'admin')
    fixed(deps.pilotToken, 'controllers', 'controller')
  }

  /** Whom `secret` belongs to; undefined when it is unknown, revoked or expired. */
  identify(secret: string): Identity | undefined {
    const digest = digestOf(secret)
    for (const { digest: known, identity } of this.#fixed) if (timingSafeEqual(known, digest)) return identity
    const row = this.#find(digest)
    const now = this.#clock.nowMs()
    if (!row || row.revoked_at_ms !== null || (row.expires_at_ms !== null && row.expires_at_ms <= now)) return undefined
    this.#noteUse(row, now)
    const { id: tokenId, name, role, expires_at_ms: expiresAtMs } = row
    return { actorId: actorIdOf(row), tokenId, name, role, workspaceIds: workspacesOf(row) ?? 'all', expiresAtMs }
  }

  /** As `identify`, for a controller's `X-Auth-Token`: tokens of other roles do not open the field listener. */
  authenticateController(secret: string): Identity | undefined {
    const identity = this.identify(secret)
    return identity?.role === 'controller' ? identity : undefined
  }

  /** True when some controller could present a valid token. */
  controllersCanPair(): boolean {
    if (this.#fixed.some(({ identity }) => identity.role === 'controller')) return true
    return (
      this.#db
        .prepare(`SELECT 1 FROM token WHERE role = 'controller' AND revoked_at_ms IS NULL AND is_session = 0 LIMIT 1`)
        .get() !== undefined
    )
  }

  /** Makes a token. The secret is in the answer and nowhere else. */
  createToken(request: {
    name: string
    role: TokenRole
    workspaceIds?: readonly string[] | undefined
  }): Token & { secret: string } {
    const secret = `fc_${randomBytes(32).toString('base64url')}`
    return this.#db.transaction(() => {
      const id = this.#insert(secret, { ...request, isSession: false, parentId: null, expiresAtMs: null })
      this.#audit.record('token.created', id, { ...request })
      return { ...this.getToken(id), secret }
    })
  }

  /**
   * Opens a browser session with the caller's rights; it ends with the token it came from, and when the caller has to prove again
   * who they are. One that came from the token made for a start outlives that: a laptop that was closed does not ask for a link
   * again.
   */
  openSession(caller: Caller): {
    secret: string
    maxAgeMs: number
  } {
    const secret = `fs_${randomBytes(32).toString('base64url')}`
    const nowMs = this.#clock.nowMs()
    const expiresAtMs = Math.min(nowMs + SESSION_LIFE_MS, caller.expiresAtMs ?? Number.POSITIVE_INFINITY)
    this.#insert(secret, {
      name: caller.name,
      role: caller.role,
      workspaceIds: caller.workspaceIds === 'all' ? undefined : caller.workspaceIds,
      isSession: true,
      actorId: caller.actorId,
      parentId: this.#parentOf(caller),
      expiresAtMs
    })
    return { secret, maxAgeMs: expiresAtMs - nowMs }
  }

  #parentOf({ actorId, tokenId }: Caller): string | null {
    if (tokenId !== null) return this.#tokenBehind(tokenId)
    return actorId === `${CONFIGURED}:admin` ? this.#configured.admin && CONFIGURED : null
  }

  /** A session opened from a session belongs to the same token. */
  #tokenBehind(tokenId: string): string | null {
    const row = this.#db
      .prepare<unknown[], { is_session: number; parent_id: string | null }>(
        'SELECT is_session, parent_id FROM token WHERE id = ?'
      )
      .get(tokenId)
    return row?.is_session === 1 ? row.parent_id : tokenId
  }

  /**
   * Ends what a fixed token opened when the configuration names another one now, or none: sessions here, and with
   * `endCredentials` what controllers were given. For the start of a daemon; the command line may be run in another environment.
   */
  endChangedFixedTokens(endCredentials: () => void): void {
    this.#ifChanged('admin', () => {
      this.#db
        .prepare('UPDATE token SET revoked_at_ms = coalesce(revoked_at_ms, ?) WHERE parent_id = ?')
        .run(this.#clock.nowMs(), CONFIGURED)
      this.#noticeRevoked()
    })
    this.#ifChanged('controller', endCredentials)
  }

  /** Remembers the new token last, so that a start that fails halfway does it again. */
  #ifChanged(role: 'admin' | 'controller', endWhatItOpened: () => void): void {
    const key = `configured_token.${role}`
    const secret = this.#configured[role]
    const before = this.#db
      .prepare<unknown[], { value: string }>('SELECT value FROM setting WHERE key = ?')
      .get(key)?.value
    const isSame = before === undefined ? secret === null : secret !== null && isMarkOf(before, secret)
    if (isSame) return
    if (before !== undefined) {
      this.#log.info({ role }, 'the fixed token is another one, what the former one opened ends')
      endWhatItOpened()
    }
    this.#db.transaction(() => {
      this.#audit.record('token.replaced', `${CONFIGURED}:${role}`, { isSet: secret !== null })
      if (secret === null) this.#db.prepare('DELETE FROM setting WHERE key = ?').run(key)
      else this.#db.prepare('INSERT OR REPLACE INTO setting (key, value) VALUES (?, ?)').run(key, markOf(secret))
    })
  }

  closeSession(tokenId: string): void {
    this.#deleteSessions('id = ?', tokenId)
  }

  /** Forgets sessions whose time is over. */
  forgetExpiredSessions(): void {
    this.#deleteSessions('expires_at_ms <= ?', this.#clock.nowMs())
  }

  #deleteSessions(condition: string, value: string | number): void {
    const gone = this.#db
      .prepare<unknown[], { id: string }>(`DELETE FROM token WHERE is_session = 1 AND ${condition} RETURNING id`)
      .all(value)
    this.#cache.clear()
    for (const { id } of gone) this.#ended.set(id, 'untold')
    this.#tellEnded()
  }

  listTokens(): Token[] {
    return this.#db
      .prepare<unknown[], TokenRow>('SELECT * FROM token WHERE is_session = 0 ORDER BY id')
      .all()
      .map(tokenFromRow)
  }

  /** Throws `token_not_found`. */
  getToken(tokenId: string): Token {
    const row = this.#db
      .prepare<unknown[], TokenRow>('SELECT * FROM token WHERE id = ? AND is_session = 0')
      .get(tokenId)
    if (!row) throw new AppError('token_not_found', { tokenId })
    return tokenFromRow(row)
  }

  /**
   * Ends a token and the sessions opened with it, at once. Throws `token_not_found`, and what keeps a watcher from doing its
   * part: the token is revoked then, and the watcher is asked again every few seconds.
   */
  revokeToken(tokenId: string): Token {
    this.#db.transaction(() => {
      const { name, role, revokedAt } = this.getToken(tokenId)
      if (revokedAt !== null) return
      this.#db
        .prepare('UPDATE token SET revoked_at_ms = coalesce(revoked_at_ms, ?) WHERE id = ? OR parent_id = ?')
        .run(this.#clock.nowMs(), tokenId, tokenId)
      this.#audit.record('token.revoked', tokenId, { name, role })
    })
    const { problem } = this.#noticeRevoked()
    if (problem !== undefined) throw problem
    return this.getToken(tokenId)
  }

  /**
   * Calls `watcher` with every token, session or not, that was revoked, closed or has expired: at once for those of old, later
   * as soon as one is noticed. A watcher that throws is called again with the same token, so it must not mind.
   */
  onEnded(watcher: (tokenId: string) => void): void {
    this.#watchers.push(watcher)
    this.#ended.clear()
    this.#noticeRevoked()
  }

  /** To be called every few seconds: what others changed, and what could not be told before. */
  tick(): void {
    try {
      this.#noticeOthers()
      this.#tellEnded()
    } catch (error) {
      this.#log.error({ err: error }, 'the tokens cannot be looked at')
    }
  }

  /** Looks what other processes changed; the command line revokes tokens, too. */
  #noticeOthers(): void {
    // SQLite counts the commits of others.
    const version = this.#db.prepare<unknown[], { data_version: number }>('PRAGMA data_version').get()?.data_version
    if (version === this.#dataVersion) return
    this.#noticeRevoked()
    this.#dataVersion = version
  }

  #noticeRevoked(): { problem?: unknown } {
    this.#cache.clear()
    const revoked = this.#db.prepare<unknown[], { id: string }>('SELECT id FROM token WHERE revoked_at_ms IS NOT NULL')
    for (const { id } of revoked.all()) if (!this.#ended.has(id)) this.#ended.set(id, 'untold')
    return this.#tellEnded()
  }

  /** What fails is logged once until everybody was told, and given back. */
  #tellEnded(): { problem?: unknown } {
    const result: { problem?: unknown } = {}
    for (const [id, state] of this.#ended) {
      if (state === 'told') continue
      try {
        for (const watcher of this.#watchers) watcher(id)
        this.#ended.set(id, 'told')
      } catch (error) {
        result.problem = error
      }
    }
    const fails = 'problem' in result
    if (fails && !this.#cannotTell)
      this.#log.error({ err: result.problem }, 'what a token opened cannot be ended yet, it is tried again')
    this.#cannotTell = fails
    return result
  }

  #insert(
    secret: string,
    row: {
      name: string
      role: TokenRole
      workspaceIds?: readonly string[] | undefined
      isSession: boolean
      actorId?: string
      parentId: string | null
      expiresAtMs: number | null
    }
  ): string {
    const now = this.#clock.nowMs()
    const id = newId(now)
    this.#db
      .prepare(
        `INSERT INTO token (id, secret_hash, name, role, workspaces_json, created_at_ms, expires_at_ms, is_session, actor_id, parent_id)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
      )
      .run(
        id,
        digestOf(secret),
        row.name,
        row.role,
        row.workspaceIds ? JSON.stringify(row.workspaceIds) : null,
        now,
        row.expiresAtMs,
        row.isSession ? 1 : 0,
        row.actorId ?? null,
        row.parentId
      )
    return id
  }

  #find(digest: Buffer): TokenRow | undefined {
    this.#noticeOthers()
    const key = digest.toString('base64')
    const cached = this.#cache.get(key)
    if (cached) return cached
    const row = this.#db.prepare<unknown[], TokenRow>('SELECT * FROM token WHERE secret_hash = ?').get(digest)
    if (!row) return undefined
    if (this.#cache.size >= CACHE_SIZE) this.#cache.clear()
    this.#cache.set(key, row)
    return row
  }

  /** A full disk is no reason to turn a caller away; it is told once until a note succeeds again. */
  #noteUse(row: TokenRow, now: number): void {
    if (row.last_used_at_ms !== null && now - row.last_used_at_ms < LAST_USED_STEP_MS) return
    row.last_used_at_ms = now
    try {
      this.#db.relaxedTransaction(() =>
        this.#db.prepare('UPDATE token SET last_used_at_ms = ? WHERE id = ?').run(now, row.id)
      )
      this.#cannotNoteUse = false
    } catch (error) {
      if (!this.#cannotNoteUse) this.#log.error({ err: error }, 'the last use of a token cannot be noted')
      this.#cannotNoteUse = true
    }
  }
}

function digestOf(secret: string): Buffer {
  return hash('sha256', secret, 'buffer')
}

/** By which a secret that people chose is known again; made costly, because such a secret can be guessed. */
function markOf(secret: string, salt = randomBytes(16)): string {
  return `${salt.toString('base64url')}.${scryptSync(secret, salt, 32).toString('base64url')}`
}

function isMarkOf(mark: string, secret: string): boolean {
  const [salt = ''] = mark.split('.')
  return markOf(secret, Buffer.from(salt, 'base64url')) === mark
}

function actorIdOf({ id, is_session, parent_id, actor_id }: TokenRow): string {
  if (is_session === 0) return `token:${id}`
  if (actor_id !== null) return actor_id
  // Whoever opened it with the token of one start was an admin.
  return parent_id === null || parent_id === CONFIGURED ? `${CONFIGURED}:admin` : `token:${parent_id}`
}

function workspacesOf({ workspaces_json }: TokenRow): string[] | null {
  return workspaces_json === null ? null : (JSON.parse(workspaces_json) as string[])
}

function tokenFromRow(row: TokenRow): Token {
  return {
    id: row.id,
    name: row.name,
    role: row.role,
    workspaceIds: workspacesOf(row),
    createdAt: isoFromMs(row.created_at_ms),
    lastUsedAt: row.last_used_at_ms === null ? null : isoFromMs(row.last_used_at_ms),
    revokedAt: row.revoked_at_ms === null ? null : isoFromMs(row.revoked_at_ms)
  }
}
