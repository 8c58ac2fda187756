import type { Database } from '../../db/database.ts'

/** A long-term user of the object store. */
export interface ServiceUser {
  accessKeyId: string
  name: string
  ownerId: string
  canAssume: boolean
  createdAtMs: number
  disabledAtMs: number | null
}

/** A live or ended session as diagnostics show it. Holds no secret. */
export interface SessionInfo {
  accessKeyId: string
  parent: string
  sessionName: string
  workspaceId: string | null
  deviceId: string | null
  createdAtMs: number
  expiresAtMs: number
  revokedAtMs: number | null
}

/** What only the service may see of a user or a session. */
export type StoredUser = { user: ServiceUser; wrappedSecret: Buffer; policyJson: string }
export type StoredSession = { session: SessionInfo; id: number; keyId: number; salt: Buffer; policyJson: string | null }

type UserRow = {
  access_key_id: string
  name: string
  owner_id: string
  wrapped_secret: Buffer
  policy_json: string
  can_assume: number
  created_at_ms: number
  disabled_at_ms: number | null
}
type SessionRow = {
  id: number
  access_key_id: string
  parent: string
  session_name: string
  workspace_id: string | null
  device_id: string | null
  policy_json: string | null
  salt: Buffer
  key_id: number
  created_at_ms: number
  expires_at_ms: number
  revoked_at_ms: number | null
}

/** The SQL of `identity.db`. */
export class IdentityRepository {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  transaction<T>(work: () => T): T {
    return this.#db.transaction(work)
  }

  findUser(accessKeyId: string): StoredUser | undefined {
    const row = this.#db
      .prepare<[string], UserRow>('SELECT * FROM service_user WHERE access_key_id = ?')
      .get(accessKeyId)
    return row && { user: toUser(row), wrappedSecret: row.wrapped_secret, policyJson: row.policy_json }
  }

  listUsers(): ServiceUser[] {
    return this.#db.prepare<[], UserRow>('SELECT * FROM service_user ORDER BY created_at_ms, name').all().map(toUser)
  }

  isTaken(accessKeyId: string, name: string): boolean {
    const sql = 'SELECT 1 FROM service_user WHERE access_key_id = ? OR name = ?'
    return this.#db.prepare<[string, string]>(sql).get(accessKeyId, name) !== undefined
  }

  insertUser({ user, wrappedSecret, policyJson }: StoredUser, keyId: number): void {
    this.#db
      .prepare<unknown[]>(
        `INSERT INTO service_user (access_key_id, name, owner_id, wrapped_secret, key_id, policy_json, can_assume,
           created_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
      )
      .run(
        user.accessKeyId,
        user.name,
        user.ownerId,
        wrappedSecret,
        keyId,
        policyJson,
        user.canAssume ? 1 : 0,
        user.createdAtMs
      )
  }

  /** False when there is no such user or it is disabled already. */
  disableUser(accessKeyId: string, nowMs: number): boolean {
    const sql = 'UPDATE service_user SET disabled_at_ms = ? WHERE access_key_id = ? AND disabled_at_ms IS NULL'
    return this.#db.prepare<[number, string]>(sql).run(nowMs, accessKeyId).changes > 0
  }

  findSession(accessKeyId: string): StoredSession | undefined {
    const row = this.#db.prepare<[string], SessionRow>('SELECT * FROM session WHERE access_key_id = ?').get(accessKeyId)
    return (
      row && {
        session: toSession(row),
        id: row.id,
        keyId: row.key_id,
        salt: row.salt,
        policyJson: row.policy_json
      }
    )
  }

  /** Newest first. */
  listLiveSessions(nowMs: number): SessionInfo[] {
    const sql = 'SELECT * FROM session WHERE expires_at_ms > ? AND revoked_at_ms IS NULL ORDER BY id DESC'
    return this.#db.prepare<[number], SessionRow>(sql).all(nowMs).map(toSession)
  }

  /** Returns the row's id. */
  insertSession({ session, keyId, salt, policyJson }: Omit<StoredSession, 'id'>): number {
    const { lastInsertRowid } = this.#db
      .prepare<unknown[]>(
        `INSERT INTO session (access_key_id, parent, session_name, workspace_id, device_id, policy_json, salt, key_id,
           created_at_ms, expires_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
      )
      .run(
        session.accessKeyId,
        session.parent,
        session.sessionName,
        session.workspaceId,
        session.deviceId,
        policyJson,
        salt,
        keyId,
        session.createdAtMs,
        session.expiresAtMs
      )
    return Number(lastInsertRowid)
  }

  /** Revokes the live sessions of a device except the `keep` newest. */
  revokeOldest(deviceId: string, keep: number, nowMs: number): void {
    this.#db
      .prepare<unknown[]>(
        `UPDATE session SET revoked_at_ms = ? WHERE id IN (
           SELECT id FROM session WHERE device_id = ? AND expires_at_ms > ? AND revoked_at_ms IS NULL
           ORDER BY created_at_ms DESC, id DESC LIMIT -1 OFFSET ?)`
      )
      .run(nowMs, deviceId, nowMs, keep)
  }

  /** Revokes the live sessions with this value; returns how many there were. */
  revokeWhere(column: 'access_key_id' | 'workspace_id' | 'device_id' | 'parent', value: string, nowMs: number): number {
    const sql = `UPDATE session SET revoked_at_ms = ? WHERE ${column} = ? AND revoked_at_ms IS NULL AND expires_at_ms > ?`
    return this.#db.prepare<unknown[]>(sql).run(nowMs, value, nowMs).changes
  }

  forgetSessionsEndedBefore(timeMs: number): void {
    this.#db.prepare<[number]>('DELETE FROM session WHERE expires_at_ms < ?').run(timeMs)
  }

  /** Ends every session that has not been ended, also the expired ones. Gives their number. */
  revokeAll(nowMs: number): number {
    return this.#db.prepare<[number]>('UPDATE session SET revoked_at_ms = ? WHERE revoked_at_ms IS NULL').run(nowMs)
      .changes
  }

  fact(name: string): string | undefined {
    return this.#db.prepare<[string], { value: string }>('SELECT value FROM fact WHERE name = ?').get(name)?.value
  }

  setFact(name: string, value: string): void {
    this.#db
      .prepare<[string, string]>(
        'INSERT INTO fact (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value'
      )
      .run(name, value)
  }

  close(): void {
    this.#db.close()
  }
}

function toUser(row: UserRow): ServiceUser {
  return {
    accessKeyId: row.access_key_id,
    name: row.name,
    ownerId: row.owner_id,
    canAssume: row.can_assume === 1,
    createdAtMs: row.created_at_ms,
    disabledAtMs: row.disabled_at_ms
  }
}

function toSession(row: SessionRow): SessionInfo {
  return {
    accessKeyId: row.access_key_id,
    parent: row.parent,
    sessionName: row.session_name,
    workspaceId: row.workspace_id,
    deviceId: row.device_id,
    createdAtMs: row.created_at_ms,
    expiresAtMs: row.expires_at_ms,
    revokedAtMs: row.revoked_at_ms
  }
}
