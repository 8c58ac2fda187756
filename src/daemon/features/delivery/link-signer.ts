import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { AccessPolicy } from '../../../shared/api/assets.ts'
import { MAX_LINK_SECONDS } from '../../../shared/api/delivery.ts'
import type { AuditLog } from '../../audit/audit-log.ts'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'

const SECRET_BYTES = 32

interface LinkKey {
  id: string
  secret: Buffer
}

/** Makes addresses that open without a token for a while, and knows them again. */
export class LinkSigner {
  readonly #db: Database
  readonly #clock: Clock
  readonly #audit: AuditLog
  /** The first one signs. */
  #keys: LinkKey[]

  constructor(deps: { db: Database; clock: Clock; audit: AuditLog }) {
    this.#db = deps.db
    this.#clock = deps.clock
    this.#audit = deps.audit
    this.#keys = this.#read()
    if (this.#keys.length === 0) this.rotate({ endLinks: false })
  }

  /**
   * Adds expiry, key and signature to an address (path and query). The signature covers all of it and the access policy: after a change
   * of that, the link opens nothing.
   */
  sign(
    address: { path: string; query?: Record<string, string> },
    access: AccessPolicy,
    expiresInSeconds: number
  ): { address: string; expiresAtMs: number } {
    const [key] = this.#keys as [LinkKey]
    const expires = Math.floor(this.#clock.nowMs() / 1000) + expiresInSeconds
    const query = new URLSearchParams({ ...address.query, expires: String(expires), key: key.id })
    query.append('signature', signatureOf(key, access, address.path, query).toString('base64url'))
    return { address: `${address.path}?${query}`, expiresAtMs: expires * 1000 }
  }

  /** Judges a request's address (path and query); undefined when it carries no signature. */
  verify(
    address: string,
    access: AccessPolicy | undefined
  ): { expiresAtMs: number } | 'link_invalid' | 'link_expired' | undefined {
    const queryAt = address.indexOf('?')
    if (queryAt < 0) return undefined
    const query = new URLSearchParams(address.slice(queryAt))
    const [signature, surplus] = query.getAll('signature')
    if (signature === undefined) return undefined
    if (surplus !== undefined) return 'link_invalid'
    query.delete('signature')
    const key = this.#keys.find(({ id }) => id === query.get('key'))
    const expires = query.get('expires') ?? ''
    if (!key || !access || !/^\d{1,11}$/.test(expires)) return 'link_invalid'
    const expected = signatureOf(key, access, address.slice(0, queryAt), query)
    const given = Buffer.from(signature, 'base64url')
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return 'link_invalid'
    const expiresAtMs = Number(expires) * 1000
    return expiresAtMs > this.#clock.nowMs() ? { expiresAtMs } : 'link_expired'
  }

  /** Signs with a new secret from now on. The former links stay good until they expire, unless `endLinks`. */
  rotate({ endLinks }: { endLinks: boolean }): { keyId: string; createdAtMs: number } {
    const nowMs = this.#clock.nowMs()
    const keyId = randomBytes(6).toString('base64url')
    this.#db.transaction(() => {
      if (endLinks) this.#db.prepare('DELETE FROM link_key').run()
      this.#db.prepare('UPDATE link_key SET retired_at_ms = ? WHERE retired_at_ms IS NULL').run(nowMs)
      this.#db
        .prepare('INSERT INTO link_key (id, secret, created_at_ms) VALUES (?, ?, ?)')
        .run(keyId, randomBytes(SECRET_BYTES), nowMs)
      if (this.#keys.length > 0) this.#audit.record('link_key.replaced', keyId, { endLinks })
      this.#db.afterCommit(() => {
        this.#keys = this.#read()
      })
    })
    return { keyId, createdAtMs: nowMs }
  }

  /** Forgets the keys that no link can be good by any more. */
  forgetOldKeys(): void {
    this.#db.prepare('DELETE FROM link_key WHERE retired_at_ms <= ?').run(this.#clock.nowMs() - MAX_LINK_SECONDS * 1000)
    this.#keys = this.#read()
  }

  #read(): LinkKey[] {
    return this.#db
      .prepare<unknown[], LinkKey>('SELECT id, secret FROM link_key ORDER BY retired_at_ms IS NOT NULL, created_at_ms')
      .all()
  }
}

/** Over everything the link says, in an order of its own, because a proxy may change that of the query. */
function signatureOf(key: LinkKey, access: AccessPolicy, path: string, query: URLSearchParams): Buffer {
  const ordered = new URLSearchParams([...query].sort(([a, x], [b, y]) => (a < b || (a === b && x < y) ? -1 : 1)))
  return createHmac('sha256', key.secret).update(`flightcase link 1\n${access}\n${path}\n${ordered}`).digest()
}
