import { once } from 'node:events'
import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { expect, it, onTestFinished } from 'vitest'
import { Responder } from './responder.ts'

it.each([
  ['a client that has gone', {}, true],
  ['headers that cannot be sent', { 'x-amz-meta-note': 'two\nlines' }, false]
])('a body that is not sent is let go: %s', async (_, headers, leaves) => {
  const body = Readable.from(['bytes'])
  const answered = Promise.withResolvers<void>()
  const server = createServer(async (request, response) => {
    if (leaves) response.destroy()
    await new Responder(request, response).send({ status: 200, headers, body }, undefined).catch(() => {})
    response.destroy()
    answered.resolve()
  })
  server.listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' }).on('error', () => {})
  await answered.promise
  expect(body.destroyed).toBe(true)
})
