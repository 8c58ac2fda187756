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
