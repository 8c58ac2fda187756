import { hash } from 'node:crypto'
import { setImmediate as pause } from 'node:timers/promises'
import { z } from 'zod'
import type { Clock } from '../clock.ts'
import type { Database } from '../db/database.ts'
import { AppError } from '../errors.ts'

export const IDEMPOTENCY_HEADER = 'Idempotency-Key'
/** A string of RFC 8941 §3.3.3; many clients send it without its quotes. */
export const idempotencyKeySchema = z
  .string()
  .regex(/^[!-~]{1,255}$/, 'an Idempotency-Key has 1 to 255 letters, digits and signs of ASCII without spaces')
  .transform((text) => text.replace(/^"(.*)"$/, '$1'))

/** A request that may come again. */
export interface RepeatableCall {
  callerId: string
  operation: string
  key: string
  /** Everything that makes it this request and no other. */
  content: unknown
  /** The answer is not to be written down. */
  isSecret: boolean
}

interface Row {
  fingerprint: Buffer
  state: 'running' | 'done' | 'withheld'
  answer_json: string | null
}

const KEPT_MS = 24 * 3_600_000
const SWEPT_AT_ONCE = 500

/**
 * Does what a request asks for once, however often it comes with the same `Idempotency-Key` within a day
 * (draft-ietf-httpapi-idempotency-key-header).
 *
 * Work that ends at once is committed together with its answer: after a crash both are there, or none. Work that waits for
 * something is noted as running before, and its answer when it has ended; when the program ends in between, a repeated
 * request does the work again. What was refused or failed is forgotten, so that it may be tried again.
 */
export class Idempotency {
  readonly #db: Database
  readonly #clock: Clock

  constructor(deps: { db: Database; clock: Clock }) {
    this.#db = deps.db
    this.#clock = deps.clock
    // What ran when the program ended runs no more.
    this.#db.prepare(`DELETE FROM idempotency WHERE state = 'running'`).run()
  }

  /**
   * Gives what `work` gives, or what it gave before (as JSON has it). Throws `idempotency_key_reused` when the key came with another
   * request, `idempotency_key_in_use` while that one runs, `idempotent_answer_not_kept`, and what `work` throws.
   */
  async run<T>(call: RepeatableCall, work: () => T | Promise<T>): Promise<{ answer: T } | { replayed: unknown }> {
    const fingerprint = hash('sha256', JSON.stringify(call.content), 'buffer')
    const begun = this.#db.transaction((): { replayed: unknown } | { pending: T | Promise<T> } => {
      const known = this.#find(call)
      if (known) return { replayed: answerOf(known, fingerprint) }
      const answer = work()
      if (answer instanceof Promise) this.#put(call, fingerprint, 'running')
      else this.#finish(call, fingerprint, answer)
      return { pending: answer }
    })
    if ('replayed' in begun) return begun
    const { pending } = begun
    if (!(pending instanceof Promise)) return { answer: pending }
    try {
      const answer = await pending
      this.#finish(call, fingerprint, answer)
      return { answer }
    } catch (error) {
      this.#forget(call)
      throw error
    }
  }

  /** Forgets what is older than a day, a little at a time. */
  async sweep(signal: AbortSignal): Promise<void> {
    const sql = `DELETE FROM idempotency WHERE (caller, operation, key) IN (
                   SELECT caller, operation, key FROM idempotency WHERE expires_at_ms <= ? LIMIT ${SWEPT_AT_ONCE})`
    for (let swept = SWEPT_AT_ONCE; swept === SWEPT_AT_ONCE && !signal.aborted; await pause())
      swept = this.#db.relaxedTransaction(() => this.#db.prepare(sql).run(this.#clock.nowMs()).changes)
  }

  #find({ callerId, operation, key }: RepeatableCall): Row | undefined {
    return this.#db
      .prepare<unknown[], Row>(
        `SELECT fingerprint, state, answer_json FROM idempotency
         WHERE caller = ? AND operation = ? AND key = ? AND (expires_at_ms > ? OR state = 'running')`
      )
      .get(callerId, operation, key, this.#clock.nowMs())
  }

  #finish(call: RepeatableCall, fingerprint: Buffer, answer: unknown): void {
    if (call.isSecret) this.#put(call, fingerprint, 'withheld')
    else this.#put(call, fingerprint, 'done', answer === undefined ? null : JSON.stringify(answer))
  }

  #put(
    { callerId, operation, key }: RepeatableCall,
    fingerprint: Buffer,
    state: Row['state'],
    answerJson: string | null = null
  ): void {
    this.#db
      .prepare(
        `INSERT OR REPLACE INTO idempotency (caller, operation, key, fingerprint, state, answer_json, expires_at_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?)`
      )
      .run(callerId, operation, key, fingerprint, state, answerJson, this.#clock.nowMs() + KEPT_MS)
  }

  #forget({ callerId, operation, key }: RepeatableCall): void {
    this.#db
      .prepare('DELETE FROM idempotency WHERE caller = ? AND operation = ? AND key = ?')
      .run(callerId, operation, key)
  }
}

function answerOf({ state, fingerprint, answer_json }: Row, asked: Buffer): unknown {
  if (!fingerprint.equals(asked)) throw new AppError('idempotency_key_reused')
  if (state === 'running') throw new AppError('idempotency_key_in_use')
  if (state === 'withheld') throw new AppError('idempotent_answer_not_kept')
  return answer_json === null ? undefined : JSON.parse(answer_json)
}
