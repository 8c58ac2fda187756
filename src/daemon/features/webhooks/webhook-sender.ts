import { Webhook as Signature } from 'standardwebhooks'
import type { StoredEvent } from '../../../shared/api/events.ts'
import type { WebhookDelivery } from '../../../shared/api/webhooks.ts'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import { AppError } from '../../errors.ts'
import { CLOUD_EVENT_TYPE, type CloudEvent, toCloudEvent } from '../../events/cloud-event.ts'
import type { OutboxReader } from '../../events/outbox-follower.ts'
import { type PostResult, postEvent } from './post-event.ts'
import type { Webhook, WebhooksRepository } from './webhooks.repository.ts'

export interface WebhookSenderDeps {
  db: Database
  clock: Clock
  repository: WebhooksRepository
  /** Of the envelopes. */
  source: string
  userAgent: string
  /** Refuse addresses that only this network reaches. */
  publicOnly: boolean
  timeoutMs: number
}

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
/** Rests between the attempts, three days in all (the schedule that Standard Webhooks recommends). */
const RESTS_MS = [5 * SECOND_MS, 5 * MINUTE_MS, 30 * MINUTE_MS].concat(
  [2, 5, 10, 14, 20, 24].map((hours) => hours * HOUR_MS)
)
const LONGEST_REST_MS = 24 * HOUR_MS
/** Answers that mean this one event: it is given up sooner, because those after it wait for it. */
const REFUSALS = [400, 413, 414, 415, 422]
const ATTEMPTS_WHEN_REFUSED = 4

/** Tells one webhook the events, one at a time, and keeps its place and its log. */
export class WebhookSender implements OutboxReader {
  readonly #deps: WebhookSenderDeps
  readonly #id: string

  constructor(deps: WebhookSenderDeps, id: string) {
    this.#deps = deps
    this.#id = id
  }

  position(): number {
    return this.#webhook().positionSeq
  }

  dueInMs(): number {
    const { isEnabled, nextAttemptAtMs } = this.#webhook()
    if (!isEnabled) return Number.POSITIVE_INFINITY
    return nextAttemptAtMs === null ? 0 : Math.max(0, nextAttemptAtMs - this.#deps.clock.nowMs())
  }

  async tell(events: StoredEvent[], signal: AbortSignal): Promise<void> {
    const webhook = this.#webhook()
    for (const event of events) {
      if (webhook.types !== '*' && !webhook.types.includes(event.type)) continue
      if (!(await this.#deliver(event, signal))) return
    }
    this.#save({ positionSeq: events.at(-1)!.seq })
  }

  skip(firstSeq: number, lastSeq: number): void {
    const { db, repository, clock } = this.#deps
    db.relaxedTransaction(() => {
      repository.log(this.#id, {
        cause: 'event',
        outcome: 'lost',
        eventId: null,
        eventType: null,
        seq: firstSeq,
        untilSeq: lastSeq,
        attempt: 0,
        status: null,
        durationMs: 0,
        error: 'the base keeps a certain number of events, and these were older',
        atMs: clock.nowMs()
      })
      this.#save({ positionSeq: lastSeq, failedAttempts: 0, nextAttemptAtMs: null })
    })
  }

  /** Sends once, now, beside the others and whatever comes of it. Throws `shutting_down`. */
  async sendOnce(
    event: StoredEvent | CloudEvent,
    cause: 'replay' | 'test',
    signal: AbortSignal
  ): Promise<WebhookDelivery> {
    const envelope = 'specversion' in event ? event : toCloudEvent(event, this.#deps.source)
    const result = await this.#post(envelope, signal)
    if (signal.aborted) throw new AppError('shutting_down')
    const outcome = result.error === null ? 'delivered' : 'given_up'
    return this.#log(envelope, 'seq' in event ? event.seq : null, result, { cause, outcome, attempt: 1 })
  }

  /** One attempt. False when the events after it have to wait. */
  async #deliver(event: StoredEvent, signal: AbortSignal): Promise<boolean> {
    const { db, clock, source } = this.#deps
    const envelope = toCloudEvent(event, source)
    const result = await this.#post(envelope, signal)
    // Ended by us: it does not count.
    if (signal.aborted && result.status === null) return false
    return db.relaxedTransaction(() => {
      const attempt = this.#webhook().failedAttempts + 1
      const log = (outcome: WebhookDelivery['outcome']): void =>
        void this.#log(envelope, event.seq, result, { cause: 'event', outcome, attempt })
      const done = { positionSeq: event.seq, failedAttempts: 0, nextAttemptAtMs: null, lastError: result.error }
      if (result.error === null) {
        log('delivered')
        this.#save({ ...done, isFailing: false })
        return true
      }
      if (result.status === 410) {
        log('failed')
        this.#save({ isEnabled: false, lastError: result.error, nextAttemptAtMs: null })
        return false
      }
      const restMs = restAfter(attempt, result)
      if (restMs === null) {
        log('given_up')
        this.#save({ ...done, isFailing: true })
        return true
      }
      log('failed')
      this.#save({ failedAttempts: attempt, nextAttemptAtMs: clock.nowMs() + restMs, lastError: result.error })
      return false
    })
  }

  #post(envelope: CloudEvent, signal: AbortSignal): Promise<PostResult> {
    const { clock, publicOnly, timeoutMs, userAgent } = this.#deps
    const { url, secret, formerSecret } = this.#webhook()
    const now = new Date(clock.nowMs())
    const body = JSON.stringify(envelope)
    const secrets = [secret]
    if (formerSecret !== null && formerSecret.untilMs > now.getTime()) secrets.push(formerSecret.secret)
    return postEvent(url, {
      headers: {
        'content-type': `${CLOUD_EVENT_TYPE}; charset=utf-8`,
        'user-agent': userAgent,
        'webhook-id': envelope.id,
        'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
        'webhook-signature': secrets.map((key) => new Signature(key).sign(envelope.id, now, body)).join(' ')
      },
      body,
      timeoutMs,
      publicOnly,
      signal
    })
  }

  #log(
    envelope: CloudEvent,
    seq: number | null,
    { status, durationMs, error }: PostResult,
    about: Pick<WebhookDelivery, 'cause' | 'outcome' | 'attempt'>
  ): WebhookDelivery {
    const { repository, clock } = this.#deps
    return repository.log(this.#id, {
      ...about,
      eventId: envelope.id,
      eventType: envelope.type,
      seq,
      untilSeq: null,
      status,
      durationMs,
      error,
      atMs: clock.nowMs()
    })
  }

  #webhook(): Webhook {
    const webhook = this.#deps.repository.find(this.#id)
    if (!webhook) throw new Error(`webhook ${this.#id} is gone, but still told events`)
    return webhook
  }

  /** Lost by a power cut, it means that something is sent again. */
  #save(changes: Partial<Webhook>): void {
    const { db, repository } = this.#deps
    db.relaxedTransaction(() => repository.save({ ...this.#webhook(), ...changes }))
  }
}

/** How long to wait after so many attempts; null to give up. */
function restAfter(attempt: number, { status, retryAfterMs }: PostResult): number | null {
  const restMs = RESTS_MS[attempt - 1]
  if (restMs === undefined) return null
  if (status !== null && REFUSALS.includes(status) && attempt >= ATTEMPTS_WHEN_REFUSED) return null
  return Math.min(Math.max(restMs, retryAfterMs ?? 0), LONGEST_REST_MS)
}
