import { createHmac } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { pino } from 'pino'
import { Webhook as Verifier } from 'standardwebhooks'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { AuditLog } from '../../audit/audit-log.ts'
import { eventSource } from '../../events/cloud-event.ts'
import { Outbox } from '../../events/outbox.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { testDatabase } from '../../testing/test-database.ts'
import { answering, type ReceivedCall, startTestReceiver, type TestReceiver } from '../../testing/test-receiver.ts'
import { WebhooksRepository } from './webhooks.repository.ts'
import { WebhooksService } from './webhooks.service.ts'

const HOUR_MS = 3_600_000

/** The webhooks over a real catalogue; `restart` ends them and begins again with what is in it. */
function startWebhooks(options: { publicOnly?: boolean } = {}) {
  const db = testDatabase()
  const clock = new ManualClock(Date.now())
  const outbox = new Outbox({ db, clock })
  const newService = () =>
    new WebhooksService({
      db,
      clock,
      outbox,
      audit: new AuditLog({ db, clock }),
      log: pino({ level: 'silent' }),
      repository: new WebhooksRepository(db),
      source: eventSource(db),
      userAgent: 'Flightcase/test',
      publicOnly: options.publicOnly ?? false,
      timeoutMs: 10_000
    })
  const base = {
    clock,
    outbox,
    service: newService(),
    append: (...subjects: string[]) => {
      db.transaction(() => {
        for (const subject of subjects) outbox.append('asset.arrived', subject, { name: `${subject}.jpg` })
      })
    },
    restart: async () => {
      await base.service.stop()
      base.service = newService()
      base.service.start()
    },
    log: (id: string) => base.service.listDeliveries(id, { limit: 500 }).items.reverse()
  }
  base.service.start()
  onTestFinished(() => base.service.stop())
  return base
}

const hook = (url: string) => ({ url, types: '*' as const, isEnabled: true })
const subjectOf = ({ body }: ReceivedCall): string => (JSON.parse(body) as { subject: string }).subject
const subjects = ({ calls }: TestReceiver) => calls.map(subjectOf)

describe('a delivery', () => {
  test('is a signed CloudEvent', async () => {
    const base = startWebhooks()
    const receiver = await startTestReceiver()
    base.append('before')
    const { id, secret } = base.service.create(hook(receiver.url))
    base.append('a')
    await vi.waitFor(() => expect(receiver.calls).toHaveLength(1))
    const { method, path, headers, body } = receiver.calls[0]!
    expect([method, path, headers['content-type']]).toEqual([
      'POST',
      '/hook',
      'application/cloudevents+json; charset=utf-8'
    ])
    expect(new Verifier(secret).verify(body, headers as Record<string, string>)).toMatchObject({
      specversion: '1.0',
      id: headers['webhook-id'],
      type: 'flightcase.asset.arrived',
      subject: 'a',
      data: { name: 'a.jpg' }
    })
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
    expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`)
    expect(() => new Verifier(secret).verify(body.replace('"a"', '"b"'), headers as never)).toThrow()
    await vi.waitFor(() => expect(base.service.get(id)).toMatchObject({ state: 'ok', lagEvents: 0 }))
    expect(base.log(id)).toMatchObject([
      { cause: 'event', outcome: 'delivered', seq: 2, attempt: 1, status: 204, error: null }
    ])
  })

  test('has two signatures for a day after the secret was changed', async () => {
    const base = startWebhooks()
    const receiver = await startTestReceiver()
    const { id, secret: former } = base.service.create(hook(receiver.url))
    const { secret } = await base.service.rotateSecret(id)
    const isSignedBy = (key: string, { body, headers }: ReceivedCall): boolean => {
      const sent = new Date(Number(headers['webhook-timestamp']) * 1000)
      const signature = new Verifier(key).sign(String(headers['webhook-id']), sent, body)
      return String(headers['webhook-signature']).split(' ').includes(signature)
    }
    base.append('a')
    await vi.waitFor(() => expect(receiver.calls).toHaveLength(1))
    for (const key of [former, secret]) expect(isSignedBy(key, receiver.calls[0]!)).toBe(true)
    base.clock.advanceMs(25 * HOUR_MS)
    base.append('b')
    await vi.waitFor(() => expect(receiver.calls).toHaveLength(2))
    expect([former, secret].map((key) => isSignedBy(key, receiver.calls[1]!))).toEqual([false, true])
  })

  test('is only of the types that are wanted', async () => {
    const base = startWebhooks()
    const receiver = await startTestReceiver()
    const { id } = base.service.create({ ...hook(receiver.url), types: ['asset.binned', 'asset.purged'] })
    base.append('a', 'b')
    base.outbox.append('asset.binned', 'c')
    base.append('d')
    await vi.waitFor(() => expect(base.service.get(id).lagEvents).toBe(0))
    expect(subjects(receiver)).toEqual(['c'])
  })

  test('follows no redirect', async () => {
    const base = startWebhooks()
    const [receiver, elsewhere] = [await startTestReceiver(), await startTestReceiver()]
    receiver.answer = answering(307, { location: elsewhere.url })
    const { id } = base.service.create(hook(receiver.url))
    base.append('a')
    await vi.waitFor(() => expect(base.log(id)).toMatchObject([{ outcome: 'failed', status: 307 }]))
    expect(elsewhere.calls).toEqual([])
  })
})

describe('a receiver that does not take an event', () => {
  test('gets it again, in order, and with the same id', async () => {
    const base = startWebhooks()
    const receiver = await startTestReceiver()
    receiver.answer = answering(503, {}, 'not now')
    const { id } = base.service.create(hook(receiver.url))
    base.append('a', 'b')
    await vi.waitFor(() =>
      expect(base.service.get(id)).toMatchObject({
        state: 'retrying',
        failedAttempts: 1,
        lagEvents: 2,
        lastError: 'the receiver answered 503: not now'
      })
    )
    receiver.answer = answering(200)
    base.append('c')
    await base.restart()
    expect(subjects(receiver)).toEqual(['a'])
    base.clock.advanceMs(5000)
    base.append('d')
    await vi.waitFor(() => expect(base.service.get(id)).toMatchObject({ state: 'ok', lagEvents: 0 }))
    expect(subjects(receiver)).toEqual(['a', 'a', 'b', 'c', 'd'])
    expect(receiver.calls[1]!.headers['webhook-id']).toBe(receiver.calls[0]!.headers['webhook-id'])
    expect(base.log(id).map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
      [1, 'failed'],
      [2, 'delivered'],
      [1, 'delivered'],
      [1, 'delivered'],
      [1, 'delivered']
    ])
  })

  test('has three days; then the event is given up and the next one has its turn', async () => {
    const base = startWebhooks()
    const receiver = await startTestReceiver()
    receiver.answer = (call, response) => answering(subjectOf(call) === 'poison' ? 500 : 200)(call, response)
    const { id } = base.service.create({ ...hook(receiver.url), types: ['asset.arrived'] })
    base.append('poison', 'b')
    const startedMs = base.clock.nowMs()
    for (let attempt = 1; attempt < 10; attempt++) {
      await vi.waitFor(() => expect(base.service.get(id).failedAttempts).toBe(attempt))
      base.clock.advanceMs(Date.parse(base.service.get(id).nextAttemptAt!) - base.clock.nowMs())
      base.outbox.append('asset.updated', 'something that wakes it')
    }
    await vi.waitFor(() => expect(base.service.get(id)).toMatchObject({ state: 'ok', lagEvents: 0 }))
    expect(base.clock.nowMs() - startedMs).toBeGreaterThan(75 * HOUR_MS)
    expect(subjects(receiver)).toEqual([...Array(10).fill('poison'), 'b'])
    expect(base.service.listDeliveries(id, { outcome: 'given_up', limit: 10 }).items).toMatchObject([{ attempt: 10 }])
  })

  test('and says that it never will holds up the others for less than an hour', async () => {
    const base = startWebhooks()
    const receiver = await startTestReceiver()
    receiver.answer = answering(422)
    const { id } = base.service.create({ ...hook(receiver.url), types: ['asset.arrived'] })
    base.append('poison', 'b')
    for (let attempt = 1; attempt < 4; attempt++) {
      await vi.waitFor(() => expect(base.service.get(id).failedAttempts).toBe(attempt))
      base.clock.advanceMs(HOUR_MS / 2)
      base.outbox.append('asset.updated', 'something that wakes it')
    }
    await vi.waitFor(() => expect(subjects(receiver)).toContain('b'))
    await vi.waitFor(() => expect(base.service.get(id)).toMatchObject({ state: 'failing', failedAttempts: 1 }))
  })

  test('is left alone for as long as it asks', async () => {
    const base = startWebhooks()
    const receiver = await startTestReceiver()
    receiver.answer = answering(429, { 'retry-after': '3600' })
    const { id } = base.service.create(hook(receiver.url))
    base.append('a')
    await vi.waitFor(() => expect(base.service.get(id).failedAttempts).toBe(1))
    expect(Date.parse(base.service.get(id).nextAttemptAt!)).toBe(base.clock.nowMs() + HOUR_MS)
  })

  test('and answers 410 is not called any more, until a person says so', async () => {
    const base = startWebhooks()
    const receiver = await startTestReceiver()
    receiver.answer = answering(410)
    const { id } = base.service.create(hook(receiver.url))
    base.append('a', 'b')
    await vi.waitFor(() => expect(base.service.get(id)).toMatchObject({ state: 'disabled', isEnabled: false }))
    receiver.answer = answering(200)
    base.append('c')
    await base.service.update(id, { isEnabled: true })
    await vi.waitFor(() => expect(base.service.get(id)).toMatchObject({ state: 'ok', lagEvents: 0 }))
    expect(subjects(receiver)).toEqual(['a', 'a', 'b', 'c'])
  })

  test('or does not answer at all keeps no other receiver waiting', async () => {
    const base = startWebhooks()
    const [silent, quick] = [await startTestReceiver(), await startTestReceiver()]
    silent.answer = () => {}
    const stuck = base.service.create(hook(silent.url))
    base.service.create(hook(quick.url))
    const names = Array.from({ length: 250 }, (_, index) => `asset ${index}`)
    base.append(...names)
    await vi.waitFor(() => expect(subjects(quick)).toEqual(names), 30_000)
    expect(silent.calls).toHaveLength(1)
    expect(base.service.get(stuck.id).lagEvents).toBe(250)
  })

  test('or does not end its answer is asked one thing at a time', async () => {
    const base = startWebhooks()
    const [endless, quick] = [await startTestReceiver(), await startTestReceiver()]
    const answers: ServerResponse[] = []
    endless.answer = (_, response) => {
      answers.push(response)
      response.writeHead(200).write('thanks')
    }
    const { id } = base.service.create(hook(endless.url))
    base.service.create(hook(quick.url))
    const names = Array.from({ length: 50 }, (_, index) => `asset ${index}`)
    base.append(...names)
    await vi.waitFor(() => expect(subjects(quick)).toEqual(names), 30_000)
    expect(subjects(endless)).toEqual(names.slice(0, 1))
    answers[0]?.end()
    await vi.waitFor(() => expect(subjects(endless)).toEqual(names.slice(0, 2)))
    expect(base.log(id)).toMatchObject([{ outcome: 'delivered', status: 200 }])
  })

  test('nobody listens: told as a failure without a status', async () => {
    const base = startWebhooks()
    const { id } = base.service.create(hook('http://127.0.0.1:1/'))
    base.append('a')
    await vi.waitFor(() => expect(base.log(id)).toMatchObject([{ outcome: 'failed', status: null }]))
    expect(base.service.get(id).lastError).toContain('ECONNREFUSED')
  })
})

describe('again, when a person asks', () => {
  test('one delivery', async () => {
    const base = startWebhooks()
    const receiver = await startTestReceiver()
    const { id } = base.service.create(hook(receiver.url))
    base.append('a', 'b')
    await vi.waitFor(() => expect(base.log(id)).toHaveLength(2))
    const replayed = await base.service.replayDelivery(id, base.log(id)[0]!.id)
    expect(replayed).toMatchObject({ cause: 'replay', outcome: 'delivered', seq: 1 })
    expect(subjects(receiver)).toEqual(['a', 'b', 'a'])
    expect(receiver.calls[2]!.headers['webhook-id']).toBe(receiver.calls[0]!.headers['webhook-id'])
    await expect(base.service.replayDelivery(id, 999)).rejects.toMatchObject({ code: 'delivery_not_found' })
    const { id: testId } = await base.service.test(id)
    await expect(base.service.replayDelivery(id, testId)).rejects.toMatchObject({ code: 'event_gone' })
  })

  test('everything since an event or an instant', async () => {
    const base = startWebhooks()
    const receiver = await startTestReceiver()
    base.append('a')
    base.clock.advanceMs(1000)
    const between = new Date(base.clock.nowMs()).toISOString()
    base.append('b', 'c')
    const { id } = base.service.create(hook(receiver.url))
    await base.service.replayFrom(id, { fromSeq: 1 })
    await vi.waitFor(() => expect(subjects(receiver)).toEqual(['a', 'b', 'c']))
    await base.service.replayFrom(id, { from: between })
    await vi.waitFor(() => expect(subjects(receiver)).toEqual(['a', 'b', 'c', 'b', 'c']))
    await vi.waitFor(() => expect(base.service.get(id).lagEvents).toBe(0))
    await base.outbox.trim({ keep: 1 })
    await expect(base.service.replayFrom(id, { fromSeq: 1 })).rejects.toMatchObject({
      code: 'event_gone',
      details: { firstSeq: 3 }
    })
  })

  test('a test, which says how it went', async () => {
    const base = startWebhooks()
    const receiver = await startTestReceiver()
    const { id, secret } = base.service.create(hook(receiver.url))
    expect(await base.service.test(id)).toMatchObject({ cause: 'test', outcome: 'delivered', seq: null })
    const { body, headers } = receiver.calls[0]!
    expect(new Verifier(secret).verify(body, headers as never)).toMatchObject({ type: 'flightcase.webhook.test' })
    receiver.answer = answering(401)
    expect(await base.service.test(id)).toMatchObject({ outcome: 'given_up', status: 401 })
    expect(base.service.get(id)).toMatchObject({ state: 'ok', failedAttempts: 0 })
  })
})

test('a receiver so far behind that events are gone is told so in the log, and goes on with what there is', async () => {
  const base = startWebhooks()
  const receiver = await startTestReceiver()
  const { id } = base.service.create({ ...hook(receiver.url), isEnabled: false })
  base.append('a', 'b', 'c', 'd')
  await base.outbox.trim({ keep: 1 })
  await base.service.update(id, { isEnabled: true })
  await vi.waitFor(() => expect(subjects(receiver)).toEqual(['d']))
  await vi.waitFor(() =>
    expect(base.log(id)).toMatchObject([
      { outcome: 'lost', seq: 1, untilSeq: 3, eventId: null },
      { outcome: 'delivered', seq: 4 }
    ])
  )
})

test('the log is kept within bounds, and read page by page', async () => {
  const base = startWebhooks()
  const receiver = await startTestReceiver()
  const { id } = base.service.create(hook(receiver.url))
  base.append(...Array.from({ length: 1010 }, () => 'a'))
  await vi.waitFor(() => expect(base.service.get(id).lagEvents).toBe(0), 30_000)
  const seqs: (number | null)[] = []
  let cursor: string | undefined
  do {
    const page = base.service.listDeliveries(id, { limit: 300, cursor })
    seqs.push(...page.items.map(({ seq }) => seq))
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
  expect(seqs).toEqual(Array.from({ length: 1000 }, (_, index) => 1010 - index))
})

test.each(['', 'next', '-1', '1.5', '0x10'])('the place %j in the log is refused', (cursor) => {
  const base = startWebhooks()
  const { id } = base.service.create(hook('http://127.0.0.1:9/'))
  const details = { in: 'query', issues: [{ path: 'cursor', message: 'unknown cursor' }] }
  expect(() => base.service.listDeliveries(id, { limit: 1, cursor })).toThrow(
    expect.objectContaining({ code: 'invalid_request', details })
  )
})

describe('where only public addresses are allowed', () => {
  test.each(['http://127.0.0.1/', 'http://[::1]/', 'http://192.168.1.2/', 'http://[::ffff:10.0.0.1]/'])(
    '%s is refused at once',
    (url) => {
      const base = startWebhooks({ publicOnly: true })
      expect(() => base.service.create(hook(url))).toThrow(expect.objectContaining({ code: 'invalid_request' }))
    }
  )

  test('a name that leads to a private one is refused when it is resolved', async () => {
    const base = startWebhooks({ publicOnly: true })
    const receiver = await startTestReceiver()
    const { id } = base.service.create(hook(receiver.url.replace('127.0.0.1', 'localhost')))
    base.append('a')
    await vi.waitFor(() => expect(base.service.get(id).lastError).toContain('is not a public address'))
    expect(receiver.calls).toEqual([])
  })
})
