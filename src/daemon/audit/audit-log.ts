import { hash } from 'node:crypto'
import type { AuditAction } from '../../shared/api/audit.ts'
import { type Clock, isoFromMs } from '../clock.ts'
import type { Database } from '../db/database.ts'
import { currentActor } from './acting.ts'

/** A record as it is stored; the JSON texts are hashed as they are. */
export interface AuditRow {
  seq: number
  at_ms: number
  actor_json: string
  action: string
  subject: string
  data_json: string
  prev_hash: string
  hash: string
}

/** Stands where the first record names the hash of the one before. */
export const GENESIS_HASH = '0'.repeat(64)

/**
 * What was taken away, and what changed who may do what: a chain in which every record holds the hash of the one before, so that
 * none can be changed or left out unnoticed.
 */
export class AuditLog {
  readonly #db: Database
  readonly #clock: Clock

  constructor(deps: { db: Database; clock: Clock }) {
    this.#db = deps.db
    this.#clock = deps.clock
  }

  /**
   * Writes down, in the current transaction (not a relaxed one), what the current actor does to `subject`. A `workspaceId` in
   * `data` says to whom the record may be shown beside those who see all workspaces.
   */
  record(
    action: AuditAction,
    subject: string,
    data: { workspaceId?: string | undefined; [name: string]: unknown } = {}
  ): void {
    this.#db.transaction(() => {
      // Asked every time: the command line writes, too.
      const last = this.#db
        .prepare<unknown[], { seq: number; hash: string }>('SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1')
        .get()
      const row = {
        seq: (last?.seq ?? 0) + 1,
        at_ms: this.#clock.nowMs(),
        actor_json: JSON.stringify(currentActor()),
        action,
        subject,
        data_json: JSON.stringify(data),
        prev_hash: last?.hash ?? GENESIS_HASH
      }
      this.#db
        .prepare(
          `INSERT INTO audit (seq, at_ms, actor_json, action, subject, data_json, prev_hash, hash)
           VALUES (:seq, :at_ms, :actor_json, :action, :subject, :data_json, :prev_hash, :hash)`
        )
        .run({ ...row, hash: hashOf(row) })
    })
  }
}

/** Hex SHA-256 of what a record says. */
export function hashOf(row: Omit<AuditRow, 'hash'>): string {
  return hash('sha256', canonicalText(row), 'hex')
}

/** A record with its hash as a line of JSON, from which the hash can be computed without knowing more than its place. */
export function lineOf(row: AuditRow): string {
  return `${canonicalText(row).slice(0, -1)},"hash":"${row.hash}"}\n`
}

/** What is hashed. The stored JSON is put in as it is, so the text never depends on how somebody writes JSON. */
function canonicalText({ seq, at_ms, actor_json, action, subject, data_json, prev_hash }: Omit<AuditRow, 'hash'>) {
  const [what, whom] = [JSON.stringify(action), JSON.stringify(subject)]
  const at = isoFromMs(at_ms)
  return `{"seq":${seq},"at":"${at}","actor":${actor_json},"action":${what},"subject":${whom},"data":${data_json},"prevHash":"${prev_hash}"}`
}
