import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { recordingLog } from '../../testing/recording-log.ts'
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
  await once(socket, 'close')
  expect(received.match(/HTTP\/1\.1/g)).toHaveLength(1)
  expect(received).toMatch(/five$/)
})
