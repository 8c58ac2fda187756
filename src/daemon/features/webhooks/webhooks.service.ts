import { randomBytes } from 'node:crypto'
import type { Logger } from 'pino'
import type { z } from 'zod'
import {
  MAX_WEBHOOKS,
  type updateWebhook,
  type WebhookDelivery,
  type Webhook as WebhookView
} from '../../../shared/api/webhooks.ts'
import type { AuditLog } from '../../audit/audit-log.ts'
import { isoFromMs } from '../../clock.ts'
import { type Page, pageFrom, unknownCursor } from '../../db/page.ts'
import { AppError } from '../../errors.ts'
import type { CloudEvent } from '../../events/cloud-event.ts'
import type { Outbox } from '../../events/outbox.ts'
import { OutboxFollower } from '../../events/outbox-follower.ts'
import { mayConnectTo } from '../../http/public-address.ts'
import { newId } from '../../ids.ts'
import { WebhookSender, type WebhookSenderDeps } from './webhook-sender.ts'
import type { Webhook } from './webhooks.repository.ts'

export interface WebhooksServiceDeps extends WebhookSenderDeps {
  outbox: Outbox
  audit: AuditLog
  log: Logger
}

type WebhookChanges = z.output<NonNullable<(typeof updateWebhook)['body']>>

/** For how long deliveries are also signed with the secret before. */
const FORMER_SECRET_MS = 24 * 3_600_000

/** What operators may read of an address in the audit: its path is often what lets anybody post there. */
const originOf = (url: string) => new URL(url).origin

/** The webhooks, each told by a follower of its own: a slow one keeps no other waiting. */
export class WebhooksService {
  readonly #deps: WebhooksServiceDeps
  readonly #followers = new Map<string, OutboxFollower>()
  readonly #stopping = new AbortController()
  /** Changes to a webhook, one after the other, because its follower has to stand still for each. */
  #changing: Promise<unknown> = Promise.resolve()

  constructor(deps: WebhooksServiceDeps) {
    this.#deps = deps
  }

  start(): void {
    for (const { id } of this.#deps.repository.list()) this.#follow(id)
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#changing.catch(() => {})
    await Promise.all([...this.#followers.keys()].map((id) => this.#unfollow(id)))
  }

  list(): WebhookView[] {
    return this.#deps.repository.list().map((webhook) => this.#view(webhook))
  }

  /** Throws `webhook_not_found`. */
  get(id: string): WebhookView {
    return this.#view(this.#find(id))
  }

  /** Told from now on. Throws `too_many_webhooks`, `invalid_request` for an address that is not allowed. */
  create(request: Pick<Webhook, 'url' | 'types' | 'isEnabled'>): WebhookView & { secret: string } {
    const { db, repository, clock, outbox, audit } = this.#deps
    if (repository.count() >= MAX_WEBHOOKS) throw new AppError('too_many_webhooks', { max: MAX_WEBHOOKS })
    this.#assertAllowed(request.url)
    const webhook: Webhook = {
      ...request,
      id: newId(clock.nowMs()),
      secret: newSecret(),
      formerSecret: null,
      isFailing: false,
      positionSeq: outbox.range().last,
      failedAttempts: 0,
      nextAttemptAtMs: null,
      lastError: null,
      createdAtMs: clock.nowMs()
    }
    db.transaction(() => {
      repository.save(webhook)
      audit.record('webhook.created', webhook.id, { ...request, url: originOf(request.url) })
    })
    this.#follow(webhook.id)
    return { ...this.#view(webhook), secret: webhook.secret }
  }

  /** Throws `webhook_not_found`, `invalid_request`. */
  update(id: string, { url, types, isEnabled }: WebhookChanges): Promise<WebhookView> {
    return this.#change(id, { url: url && originOf(url), types, isEnabled }, (before) => {
      if (url !== undefined) this.#assertAllowed(url)
      return {
        url: url ?? before.url,
        types: types ?? before.types,
        isEnabled: isEnabled ?? before.isEnabled,
        failedAttempts: 0,
        nextAttemptAtMs: null
      }
    })
  }

  /** Throws `webhook_not_found`. */
  async rotateSecret(id: string): Promise<WebhookView & { secret: string }> {
    const secret = newSecret()
    const view = await this.#change(id, { isSecretReplaced: true }, ({ secret: former }) => ({
      secret,
      formerSecret: { secret: former, untilMs: this.#deps.clock.nowMs() + FORMER_SECRET_MS }
    }))
    return { ...view, secret }
  }

  /** Goes on from another event. Throws `webhook_not_found`; `event_gone` with the oldest that is kept. */
  replayFrom(id: string, from: { fromSeq: number } | { from: string }): Promise<WebhookView> {
    const { outbox } = this.#deps
    return this.#change(id, from, () => {
      const { first, last } = outbox.range()
      const fromSeq = 'fromSeq' in from ? from.fromSeq : outbox.firstSince(Date.parse(from.from))
      if (fromSeq < first) throw new AppError('event_gone', { firstSeq: first })
      return { positionSeq: Math.min(fromSeq - 1, last), failedAttempts: 0, nextAttemptAtMs: null }
    })
  }

  /** Throws `webhook_not_found`. */
  delete(id: string): Promise<void> {
    return this.#inTurn(async () => {
      this.#find(id)
      await this.#unfollow(id)
      const { db, repository, audit } = this.#deps
      db.transaction(() => {
        audit.record('webhook.deleted', id, { url: originOf(this.#find(id).url) })
        repository.delete(id)
      })
    })
  }

  /** Throws `webhook_not_found`. */
  test(id: string): Promise<WebhookDelivery> {
    const { clock, source } = this.#deps
    const sender = this.#senderOf(id)
    const event: CloudEvent = {
      specversion: '1.0',
      id: `test-${newId(clock.nowMs())}`,
      source,
      type: 'flightcase.webhook.test',
      subject: id,
      time: isoFromMs(clock.nowMs()),
      datacontenttype: 'application/json',
      sequence: ''.padStart(16, '0'),
      data: {}
    }
    return sender.sendOnce(event, 'test', this.#stopping.signal)
  }

  /** Throws `webhook_not_found`, `delivery_not_found`; `event_gone` when the event is not kept any more, or never was. */
  async replayDelivery(id: string, deliveryId: number): Promise<WebhookDelivery> {
    const sender = this.#senderOf(id)
    const delivery = this.#deps.repository.findDelivery(id, deliveryId)
    if (!delivery) throw new AppError('delivery_not_found', { deliveryId })
    const event = delivery.seq === null ? undefined : this.#deps.outbox.find(delivery.seq)
    if (!event) throw new AppError('event_gone', { firstSeq: this.#deps.outbox.range().first })
    return sender.sendOnce(event, 'replay', this.#stopping.signal)
  }

  /** Newest first; `cursor` is the last id of the page before. Throws `webhook_not_found`, `invalid_request`. */
  listDeliveries(
    id: string,
    query: { outcome?: WebhookDelivery['outcome'] | undefined; cursor?: string | undefined; limit: number }
  ): Page<WebhookDelivery> {
    this.#find(id)
    const { outcome, limit } = query
    const { cursor = String(Number.MAX_SAFE_INTEGER) } = query
    if (!/^\d{1,16}$/.test(cursor)) throw unknownCursor()
    const found = this.#deps.repository.listDeliveries(id, { outcome, before: Number(cursor), limit: limit + 1 })
    return pageFrom(found, limit, (last) => String(last.id))
  }

  /** `told` is what the audit says of it. */
  #change(
    id: string,
    told: Record<string, unknown>,
    changesOf: (webhook: Webhook) => Partial<Webhook>
  ): Promise<WebhookView> {
    return this.#inTurn(async () => {
      const before = this.#find(id)
      const { db, repository, audit } = this.#deps
      await this.#unfollow(id)
      try {
        db.transaction(() => {
          repository.save({ ...this.#find(id), ...changesOf(before) })
          audit.record('webhook.changed', id, told)
        })
      } finally {
        this.#follow(id)
      }
      return this.get(id)
    })
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#changing.catch(() => {}).then(work)
    this.#changing = turn
    return turn
  }

  #follow(id: string): void {
    if (this.#followers.has(id) || this.#stopping.signal.aborted) return
    const { outbox, log } = this.#deps
    const follower = new OutboxFollower({ outbox, reader: this.#senderOf(id), log: log.child({ webhook: id }) })
    this.#followers.set(id, follower)
    follower.start()
  }

  async #unfollow(id: string): Promise<void> {
    await this.#followers.get(id)?.stop()
    this.#followers.delete(id)
  }

  /** Throws `webhook_not_found`. */
  #senderOf(id: string): WebhookSender {
    return new WebhookSender(this.#deps, this.#find(id).id)
  }

  #find(id: string): Webhook {
    const webhook = this.#deps.repository.find(id)
    if (!webhook) throw new AppError('webhook_not_found', { webhookId: id })
    return webhook
  }

  #assertAllowed(url: string): void {
    if (this.#deps.publicOnly && !mayConnectTo(new URL(url).hostname))
      throw new AppError('invalid_request', {
        in: 'body',
        issues: [{ path: 'url', message: 'must be a public address' }]
      })
  }

  #view(webhook: Webhook): WebhookView {
    const { formerSecret, nextAttemptAtMs } = webhook
    const isSignedTwice = formerSecret !== null && formerSecret.untilMs > this.#deps.clock.nowMs()
    return {
      id: webhook.id,
      url: webhook.url,
      types: webhook.types,
      isEnabled: webhook.isEnabled,
      state: stateOf(webhook),
      positionSeq: webhook.positionSeq,
      lagEvents: Math.max(0, this.#deps.outbox.range().last - webhook.positionSeq),
      failedAttempts: webhook.failedAttempts,
      nextAttemptAt: nextAttemptAtMs === null ? null : isoFromMs(nextAttemptAtMs),
      lastError: webhook.lastError,
      formerSecretUntil: isSignedTwice ? isoFromMs(formerSecret.untilMs) : null,
      createdAt: isoFromMs(webhook.createdAtMs)
    }
  }
}

function stateOf({ isEnabled, isFailing, failedAttempts }: Webhook): WebhookView['state'] {
  if (!isEnabled) return 'disabled'
  if (isFailing) return 'failing'
  return failedAttempts > 0 ? 'retrying' : 'ok'
}

/** 192 bits, as Standard Webhooks spells secrets. */
const newSecret = (): string => `whsec_${randomBytes(24).toString('base64')}`
