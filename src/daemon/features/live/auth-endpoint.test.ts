import { expect, onTestFinished, test } from 'vitest'
import { recordingLog } from '../../testing/recording-log.ts'
import { AuthEndpoint } from './auth-endpoint.ts'
import type { AuthRequest } from './authorise.ts'

async function startEndpoint(judge: (request: AuthRequest) => boolean = () => true) {
  const asked: AuthRequest[] = []
  const { log, lines } = recordingLog()
  const endpoint = new AuthEndpoint({
    address: { host: '127.0.0.1', port: 0 },
    key: () => 'the-key',
    judge: (request) => {
      asked.push(request)
      return judge(request)
    },
    log
  })
  await endpoint.listen()
  onTestFinished(() => endpoint.close())
  const post = (body: string, query = 'k=the-key') =>
    fetch(`${endpoint.url()}?${query}`, { method: 'POST', body }).then(async (answer) => [
      answer.status,
      await answer.text()
    ])
  return { endpoint, asked, post, lines }
}

const question = { ip: '127.0.0.1', user: '', password: '', action: 'read', path: 'live/x', protocol: 'hls', id: null }

test('the media server is told yes or no in a status alone', async () => {
  const { post, asked } = await startEndpoint(({ action }) => action === 'read')
  expect(await post(JSON.stringify(question))).toEqual([204, ''])
  expect(await post(JSON.stringify({ ...question, action: 'publish' }))).toEqual([401, ''])
  expect(asked[0]).toMatchObject({ action: 'read', path: 'live/x', token: '', query: '' })
})

test('nobody else is answered, and nothing that is no question', async () => {
  const { endpoint, post, asked } = await startEndpoint()
  const body = JSON.stringify(question)
  for (const query of ['', 'k=', 'k=the-kez', 'k=the-key2']) expect(await post(body, query)).toEqual([403, ''])
  expect(await post('{')).toEqual([400, ''])
  expect(await post('[]')).toEqual([400, ''])
  expect(await post(JSON.stringify({ ...question, path: 'x'.repeat(70_000) }))).toEqual([413, ''])
  expect((await fetch(`${endpoint.url()}?k=the-key`)).status).toBe(404)
  expect((await fetch(new URL('/', endpoint.url()), { method: 'POST' })).status).toBe(404)
  expect(asked).toEqual([])
})

test('trouble of ours lets nobody in, and is logged', async () => {
  const { post, lines } = await startEndpoint(() => {
    throw new Error('the catalogue is closed')
  })
  expect(await post(JSON.stringify(question))).toEqual([500, ''])
  expect(lines).toMatchObject([{ level: 50, err: { message: 'the catalogue is closed' } }])
})
