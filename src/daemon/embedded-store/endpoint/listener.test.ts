import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { recordingLog } from '../../testing/recording-log.ts'
import { socketClosed } from '../../testing/socket-closed.ts'
import { EndpointHarness } from './endpoint-harness.ts'
import { createListener, openListener } from './listener.ts'

test('errors after the start are logged, every one, and the listener goes on', async () => {
  const server = createListener(() => {})
  onTestFinished(() => void server.close())
  const { lines, log } = recordingLog()
  await openListener(server, { host: '127.0.0.1', port: 0, log })
  for (const message of ['accept EMFILE', 'accept ENFILE']) server.emit('error', new Error(message))
  expect(lines).toMatchObject([
    { level: 50, err: { message: 'accept EMFILE' } },
    { level: 50, err: { message: 'accept ENFILE' } }
  ])
  expect(server.listening).toBe(true)
})

test('garbage behind a request ends the connection and is not answered into the answer under way', async () => {
  const server = createListener((_request, response) => {
    response.writeHead(200, { 'content-length': 10 })
    response.write('five')
  })
  onTestFinished(() => void server.close())
  const { port } = await openListener(server, { host: '127.0.0.1', port: 0, log: recordingLog().log })
  const socket = connect(port, '127.0.0.1')
  let received = ''
  socket.setEncoding('utf8').on('data', (text: string) => {
    if (received === '') socket.write('\0garbage\r\n\r\n')
    received += text
  })
  socket.on('error', () => {})
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await socketClosed(socket)
  expect(received.match(/HTTP\/1\.1/g)).toHaveLength(1)
  expect(received).toMatch(/five$/)
})

test('O34: no time limit for a whole request, so that an upload may take as long as a slow radio needs', () => {
  const server = createListener(() => {})
  // Node would cut every request after five minutes.
  expect(server.requestTimeout).toBe(0)
  expect(server.headersTimeout).toBeGreaterThan(0)
  // And what is silent is cut by the body reader, earlier than the socket's own limit.
  expect(server.timeout).toBeGreaterThan(60_000)
})

test('connections beyond the limit are told to slow down, with ids, and those within it go on', async () => {
  const harness = await EndpointHarness.open({ maxSockets: 2 })
  onTestFinished(() => harness.dispose())
  const holders = [0, 1].map(() => connect(harness.port, '127.0.0.1'))
  onTestFinished(() => {
    for (const socket of holders) socket.destroy()
  })
  await Promise.all(holders.map((socket) => once(socket, 'connect')))
  const refused = await harness.request({ target: '/media' })
  expect(refused).toMatchObject({
    status: 503,
    code: 'SlowDown',
    headers: { 'retry-after': '1', connection: 'close', 'x-amz-request-id': expect.stringMatching(/^[0-9A-F]{16}$/) }
  })
  const [holder] = holders
  holder?.write(harness.head({ target: '/media' }))
  const [answer] = (await once(holder as Socket, 'data')) as [Buffer]
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 200 /)
  holder?.destroy()
  await vi.waitFor(async () => expect((await harness.request({ target: '/media' })).status).toBe(200), 20_000)
})

test('what is no HTTP gets an answer that can be reported: with the ids, the same in header and document', async () => {
  const harness = await EndpointHarness.open()
  onTestFinished(() => harness.dispose())
  const answer = await harness.raw('hello\r\n\r\n')
  const [, requestId] = /x-amz-request-id: ([0-9A-F]{16})\r\n/.exec(answer) ?? []
  const [, hostId] = /x-amz-id-2: (\S+)\r\n/.exec(answer) ?? []
  expect(answer).toMatch(/^HTTP\/1\.1 400 /)
  expect(answer).toContain(`<RequestId>${requestId}</RequestId><HostId>${hostId}</HostId>`)
})
