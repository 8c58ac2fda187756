import type { WebhookDelivery, Webhook as WebhookView } from '../../../shared/api/webhooks.ts'
import { isoFromMs } from '../../clock.ts'
import type { Database } from '../../db/database.ts'

export interface Webhook {
  id: string
  url: string
  types: WebhookView['types']
  secret: string
  formerSecret: { secret: string; untilMs: number } | null
  isEnabled: boolean
  /** Since an event was given up, none was taken. */
  isFailing: boolean
  /** Of the last event that is dealt with. */
  positionSeq: number
  /** Of the event after it. */
  failedAttempts: number
  nextAttemptAtMs: number | null
  lastError: string | null
  createdAtMs: number
}

interface WebhookRow {
  id: string
  url: string
  types_json: string | null
  secret: string
  former_secret: string | null
  former_secret_until_ms: number | null
  is_enabled: number
  is_failing: number
  position_seq: number
  failed_attempts: number
  next_attempt_at_ms: number | null
  last_error: string | null
  created_at_ms: number
}

export type NewDelivery = Omit<WebhookDelivery, 'id' | 'at'> & { atMs: number }

type DeliveryRow = Omit<WebhookDelivery, 'at'> & { atMs: number }

const KEPT_OF_AN_OUTCOME = 1000

/** Webhooks, and the log of what they were sent. */
export class WebhooksRepository {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  list(): Webhook[] {
    return this.#db.prepare<unknown[], WebhookRow>('SELECT * FROM webhook ORDER BY id').all().map(webhookFromRow)
  }

  find(id: string): Webhook | undefined {
    const row = this.#db.prepare<unknown[], WebhookRow>('SELECT * FROM webhook WHERE id = ?').get(id)
    return row && webhookFromRow(row)
  }

  count(): number {
    return this.#db.prepare<unknown[], { n: number }>('SELECT count(*) AS n FROM webhook').get()!.n
  }

  /** Writes the webhook as it is now, new or not. */
  save(webhook: Webhook): void {
    this.#db
      .prepare(
        `INSERT OR REPLACE INTO webhook (id, url, types_json, secret, former_secret, former_secret_until_ms, is_enabled,
                                         is_failing, position_seq, failed_attempts, next_attempt_at_ms, last_error,
                                         created_at_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
      )
      .run(
        webhook.id,
        webhook.url,
        webhook.types === '*' ? null : JSON.stringify(webhook.types),
        webhook.secret,
        webhook.formerSecret?.secret ?? null,
        webhook.formerSecret?.untilMs ?? null,
        webhook.isEnabled ? 1 : 0,
        webhook.isFailing ? 1 : 0,
        webhook.positionSeq,
        webhook.failedAttempts,
        webhook.nextAttemptAtMs,
        webhook.lastError,
        webhook.createdAtMs
      )
  }

  delete(id: string): void {
    this.#db.prepare('DELETE FROM webhook_delivery WHERE webhook_id = ?').run(id)
    this.#db.prepare('DELETE FROM webhook WHERE id = ?').run(id)
  }

  /** Adds to the log, drops what is too much of it, and gives the entry. */
  log(webhookId: string, delivery: NewDelivery): WebhookDelivery {
    const { lastInsertRowid } = this.#db
      .prepare(
        `INSERT INTO webhook_delivery (webhook_id, cause, outcome, event_id, event_type, seq, until_seq, attempt, status,
                                       duration_ms, error, at_ms)
         VALUES (:webhookId, :cause, :outcome, :eventId, :eventType, :seq, :untilSeq, :attempt, :status, :durationMs,
                 :error, :atMs)`
      )
      .run({ ...delivery, webhookId })
    this.#db
      .prepare(
        `DELETE FROM webhook_delivery WHERE webhook_id = :webhookId AND outcome = :outcome AND id <= (
           SELECT id FROM webhook_delivery WHERE webhook_id = :webhookId AND outcome = :outcome
           ORDER BY id DESC LIMIT 1 OFFSET ${KEPT_OF_AN_OUTCOME})`
      )
      .run({ webhookId, outcome: delivery.outcome })
    return deliveryFromRow({ ...delivery, id: Number(lastInsertRowid) })
  }

  findDelivery(webhookId: string, id: number): WebhookDelivery | undefined {
    const row = this.#db
      .prepare<unknown[], DeliveryRow>(`${SELECT_DELIVERY} WHERE webhook_id = ? AND id = ?`)
      .get(webhookId, id)
    return row && deliveryFromRow(row)
  }

  /** Newest first, those before the id `before`. */
  listDeliveries(
    webhookId: string,
    query: { outcome?: WebhookDelivery['outcome'] | undefined; before: number; limit: number }
  ): WebhookDelivery[] {
    const { outcome, before, limit } = query
    const ofOutcome = outcome === undefined ? '' : 'AND outcome = :outcome'
    return this.#db
      .prepare<unknown[], DeliveryRow>(
        `${SELECT_DELIVERY} WHERE webhook_id = :webhookId AND id < :before ${ofOutcome} ORDER BY id DESC LIMIT :limit`
      )
      .all({ webhookId, before, limit, ...(outcome === undefined ? {} : { outcome }) })
      .map(deliveryFromRow)
  }
}

const SELECT_DELIVERY = `SELECT id, cause, outcome, event_id AS eventId, event_type AS eventType, seq,
                                until_seq AS untilSeq, attempt, status, duration_ms AS durationMs, error,
                                at_ms AS atMs FROM webhook_delivery`

function webhookFromRow(row: WebhookRow): Webhook {
  const { former_secret: secret, former_secret_until_ms: untilMs } = row
  return {
    id: row.id,
    url: row.url,
    types: row.types_json === null ? '*' : (JSON.parse(row.types_json) as Exclude<Webhook['types'], '*'>),
    secret: row.secret,
    formerSecret: secret === null || untilMs === null ? null : { secret, untilMs },
    isEnabled: row.is_enabled === 1,
    isFailing: row.is_failing === 1,
    positionSeq: row.position_seq,
    failedAttempts: row.failed_attempts,
    nextAttemptAtMs: row.next_attempt_at_ms,
    lastError: row.last_error,
    createdAtMs: row.created_at_ms
  }
}

function deliveryFromRow({ atMs, ...row }: DeliveryRow): WebhookDelivery {
  return { ...row, at: isoFromMs(atMs) }
}
