import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { bodyStream, hearOut } from './body-stream.ts'

const SILENCE_MS = 1000

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  return () => void vi.useRealTimers()
})

async function connected() {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  onTestFinished(() => {
    socket.destroy()
    server.closeAllConnections()
    server.close()
  })
  socket.on('error', () => {})
  return { server, socket }
}

/** A request of `sizeBytes` bytes that has begun, from both ends. */
async function begun(sizeBytes: number) {
  const { server, socket } = await connected()
  socket.write(`PUT / HTTP/1.1\r\nhost: x\r\ncontent-length: ${sizeBytes}\r\n\r\n`)
  const [request] = (await once(server, 'request')) as [IncomingMessage]
  return { socket, request, body: bodyStream(request, SILENCE_MS) }
}

test('who falls silent is given up', async () => {
  const { socket, body } = await begun(1000)
  socket.write('some')
  await once(body, 'readable')
  vi.advanceTimersByTime(SILENCE_MS - 1)
  expect(body.errored).toBeNull()
  vi.advanceTimersByTime(1)
  expect(body.errored).toMatchObject({ code: 'invalid_request', details: { reason: 'the client fell silent' } })
})

test('who goes on, however slowly, is not', async () => {
  const { socket, body } = await begun(10)
  let received = ''
  for (const letter of 'patiently!') {
    socket.write(letter)
    const [chunk] = (await once(body, 'data')) as [Buffer]
    received += chunk.toString()
    vi.advanceTimersByTime(SILENCE_MS * 0.9)
  }
  expect(received).toBe('patiently!')
  expect(body.errored).toBeNull()
})

test('who waits for us is not given up', async () => {
  const { socket, request, body } = await begun(1_000_000)
  socket.write(Buffer.alloc(1_000_000))
  await once(request, 'pause')
  vi.advanceTimersByTime(SILENCE_MS * 100)
  expect(await buffer(body)).toHaveLength(1_000_000)
})

test('a broken connection is told as such', async () => {
  const { socket, body } = await begun(1000)
  socket.write('some', () => socket.destroy())
  await expect(buffer(body)).rejects.toMatchObject({
    code: 'invalid_request',
    details: { reason: 'the connection broke' }
  })
})

test('who is refused when all of it is on its way is heard out at once', async () => {
  const { server, socket } = await connected()
  const heard = new Promise<IncomingMessage>((resolve) => {
    server.once('request', (request) => {
      bodyStream(request, SILENCE_MS).destroy()
      void hearOut(request).then(() => resolve(request))
    })
  })
  socket.write('PUT / HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nsome')
  expect((await heard).complete).toBe(true)
})
