import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { pino } from 'pino'
import { expect, onTestFinished, test, vi } from 'vitest'
import { type Clock, systemClock } from '../../clock.ts'
import { LiveFeed } from '../../events/live-feed.ts'
import { Outbox } from '../../events/outbox.ts'
import { createEndpointBinder } from '../../http/bind-endpoint.ts'
import { errorHandler } from '../../http/error-handler.ts'
import { Idempotency } from '../../http/idempotency.ts'
import { createRateLimits } from '../../http/rate-limits.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { testDatabase } from '../../testing/test-database.ts'
import { createEvents } from './create-events.ts'

interface Message {
  id?: string
  event?: string
  data?: string
}

/** The stream over real HTTP; `responses` are those that the server writes to. */
async function startStream(heartbeatMs?: number, options: { clock?: Clock; expiresAtMs?: number } = {}) {
  const { clock = systemClock, expiresAtMs = null } = options
  const db = testDatabase()
  const outbox = new Outbox({ db, clock: systemClock })
  const liveFeed = new LiveFeed()
  const responses: ServerResponse[] = []
  const app = express()
  app.use((_, response, next) => {
    responses.push(response)
    next()
  })
  const binder = createEndpointBinder({
    router: app,
    authenticate: () => ({
      actorId: 'test',
      name: 'test',
      role: 'viewer',
      workspaceIds: 'all',
      tokenId: null,
      expiresAtMs,
      viaCookie: false
    }),
    assertInScope: () => undefined,
    idempotency: new Idempotency({ db, clock: systemClock }),
    limits: createRateLimits({ requestsPerMinute: 0, mediaPerMinute: 0 }),
    checkResponses: true
  })
  const events = createEvents({
    outbox,
    liveFeed,
    clock,
    isInScope: () => true,
    ...(heartbeatMs === undefined ? {} : { heartbeatMs })
  })
  events.bind?.(binder)
  app.use(errorHandler(pino({ level: 'silent' })))
  const server = createServer(app).listen(0, '127.0.0.1')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  await new Promise((resolve) => server.once('listening', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/events`

  const append = (count: number, type: 'asset.updated' | 'asset.binned' = 'asset.updated', data = {}): void => {
    db.transaction(() => {
      for (let n = 0; n < count; n++) outbox.append(type, `asset ${n}`, data)
    })
  }
  /** Opens the stream; nothing is read from it before `messages` is asked for. */
  const listen = async (query = ''): Promise<{ answer: IncomingMessage; messages: () => Message[] }> => {
    const answer = await new Promise<IncomingMessage>((resolve, reject) =>
      httpRequest(`${url}${query}`, resolve).on('error', reject).end()
    )
    onTestFinished(() => void answer.destroy())
    answer.on('error', () => {})
    let text: string | undefined
    const messages = (): Message[] => {
      if (text === undefined) {
        text = ''
        answer.setEncoding('utf8').on('data', (chunk) => {
          text += chunk
        })
      }
      return text.split('\n\n').slice(0, -1).map(messageFrom)
    }
    return { answer, messages }
  }
  return { outbox, liveFeed, responses, append, listen }
}

function messageFrom(block: string): Message {
  const fields = block.split('\n').map((line) => /^(\w*): ?(.*)$/.exec(line)?.slice(1) ?? [])
  return Object.fromEntries(fields.filter(([name]) => name !== ''))
}

const facts = (messages: Message[]) => messages.filter(({ event }) => event === 'stored').map(({ id }) => Number(id))
const upTo = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, n) => first + n)

test('facts of the wanted types are told, from where a listener was', async () => {
  const base = await startStream()
  base.append(3)
  base.append(2, 'asset.binned')
  base.append(250)
  const { messages } = await base.listen('?lastEventId=1&types=asset.binned,asset.purged')
  await vi.waitFor(() => expect(facts(messages())).toEqual([4, 5]))
  base.liveFeed.publish({ type: 'jobs', queued: 1, running: 0, dead: 0 })
  base.append(1, 'asset.binned')
  await vi.waitFor(() => expect(facts(messages())).toEqual([4, 5, 256]))
  expect(messages().map(({ event }) => event)).not.toContain('live')
})

test('others have their turn while much is passed over', async () => {
  const base = await startStream(20)
  base.append(5000)
  let reads = 0
  let mostReads = 0
  const { readAfter } = base.outbox
  vi.spyOn(base.outbox, 'readAfter').mockImplementation((...range) => {
    mostReads = Math.max(mostReads, ++reads)
    return readAfter.apply(base.outbox, range)
  })
  let turn = setImmediate(function next() {
    reads = 0
    turn = setImmediate(next)
  })
  onTestFinished(() => clearImmediate(turn))
  const { messages } = await base.listen('?lastEventId=0&types=asset.binned')
  await vi.waitFor(() => expect(messages()).toContainEqual({ id: '5000' }))
  expect(mostReads).toBeLessThan(4)
})

test('a type that is none is refused', async () => {
  const base = await startStream()
  expect((await base.listen('?types=asset.sold')).answer.statusCode).toBe(400)
})

test('the heartbeat says how far the stream is, also past what was not wanted', async () => {
  const base = await startStream(20)
  base.append(7)
  const { messages } = await base.listen('?lastEventId=0&types=asset.binned')
  await vi.waitFor(() => expect(messages()).toContainEqual({ id: '7' }))
})

/** Each look reads 20 MB. */
const patience = { timeout: 50_000, interval: 500 }

test('a slow listener gets everything in order, and nothing piles up for it', async () => {
  const base = await startStream()
  const { messages } = await base.listen('?lastEventId=0')
  for (let n = 0; n < 20; n++) base.append(500, 'asset.updated', { text: 'x'.repeat(2000) })
  expect(base.responses[0]!.writableNeedDrain).toBe(true)
  for (let n = 0; n < 1000; n++) base.liveFeed.publish({ type: 'jobs', queued: n, running: 0, dead: 0 })
  expect(base.responses[0]!.writableLength).toBeLessThan(1_000_000)
  await vi.waitFor(() => expect(facts(messages()).length).toBe(10_000), patience)
  expect(facts(messages())).toEqual(upTo(1, 10_000))
})

test('who falls behind what is kept is told to begin anew', async () => {
  const base = await startStream()
  const { messages } = await base.listen('?lastEventId=0')
  for (let n = 0; n < 20; n++) base.append(500, 'asset.updated', { text: 'x'.repeat(2000) })
  await base.outbox.trim({ keep: 10 })
  await vi.waitFor(() => expect(messages().at(-1)).toMatchObject({ event: 'reset', id: '10000' }), patience)
})

test('who reads nothing at all is cut off', async () => {
  const base = await startStream(20)
  const { answer } = await base.listen('?lastEventId=0')
  for (let n = 0; n < 20; n++) base.append(500, 'asset.updated', { text: 'x'.repeat(2000) })
  await vi.waitFor(() => expect(base.responses[0]!.destroyed).toBe(true), 10_000)
  answer.destroy()
})

test('the stream ends when the listener has to prove again who it is', async () => {
  const clock = new ManualClock()
  const base = await startStream(20, { clock, expiresAtMs: clock.nowMs() + 1000 })
  const { answer, messages } = await base.listen()
  const ended = new Promise((resolve) => answer.once('end', resolve))
  const begun = messages().length
  await vi.waitFor(() => expect(messages().length).toBeGreaterThan(begun + 2))
  clock.advanceMs(1000)
  await ended
})
