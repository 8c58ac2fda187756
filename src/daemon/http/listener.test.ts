import { connect, createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { recordingLog } from '../testing/recording-log.ts'
import { socketClosed } from '../testing/socket-closed.ts'
import { createListener, listenOn } from './listener.ts'

const address = { host: '127.0.0.1', port: 0 }

test('errors after the start are logged, every one, and the listener goes on', async () => {
  const server = createServer()
  onTestFinished(() => void server.close())
  const { lines, log } = recordingLog()
  await listenOn(server, { name: 'field', address, log })
  for (const message of ['accept EMFILE', 'accept ENFILE']) server.emit('error', new Error(message))
  expect(lines).toMatchObject([
    { level: 50, listener: 'field', err: { message: 'accept EMFILE' } },
    { level: 50, listener: 'field', err: { message: 'accept ENFILE' } }
  ])
  expect(server.listening).toBe(true)
})

test('a port that is taken is told in words, not logged', async () => {
  const { lines, log } = recordingLog()
  const first = createServer()
  onTestFinished(() => void first.close())
  const { port } = await listenOn(first, { name: 'field', address, log })
  const second = createServer()
  await expect(listenOn(second, { name: 'admin', address: { ...address, port }, log })).rejects.toMatchObject({
    code: 'listen_failed',
    message: expect.stringMatching(new RegExp(`already uses port ${port}\\..*--admin.*"admin" in flightcase.toml`))
  })
  expect(lines).toEqual([])
})

test('who sends headers drop by drop is let go', async () => {
  const { log } = recordingLog()
  let heard = 0
  const listener = createListener({
    name: 'admin',
    address,
    handler: () => void heard++,
    requestTimeoutMs: 0,
    headersTimeoutMs: 100,
    log
  })
  const { port } = await listener.listen()
  onTestFinished(() => listener.close(0))
  const socket = connect(port, address.host)
  socket.write('GET / HTTP/1.1\r\n')
  const drops = setInterval(() => socket.write('x: y\r\n'), 20)
  // A drop that crosses the answer makes the end a reset; what has arrived before counts.
  let answer = ''
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()))
  await socketClosed(socket).finally(() => clearInterval(drops))
  expect(answer).toMatch(/^HTTP\/1.1 408 /)
  expect(heard).toBe(0)
})
