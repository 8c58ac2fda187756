import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PILOT_TOKEN, startPilotBase } from '../../testing/pilot-base.ts'
import { openEmbeddedStore } from '../../testing/test-stores.ts'

const path = (name: string) => `/media/api/v1/workspaces/ws/${name}`

async function recordedBase() {
  const base = await startPilotBase({ store: await openEmbeddedStore(), config: { recorder: true } })
  const filePath = join(base.folder, 'pilot-recorder.jsonl')
  const post = (urlPath: string, body: string, headers: Record<string, string> = {}) =>
    fetch(base.url + urlPath, { method: 'POST', headers: { 'x-auth-token': PILOT_TOKEN, ...headers }, body })
  const read = async () => {
    await base.recorder?.flush()
    return readFileSync(filePath, 'utf8')
  }
  return { base, filePath, post, read }
}

test('each call is one line with what was asked and what was answered', async () => {
  const { post, read } = await recordedBase()
  await post(path('fast-upload'), '{"fingerprint":"F","name":"航点.JPG"}', {
    'x-device-id': 'RC-1',
    'user-agent': 'Pilot'
  })
  await post(path('fast-upload'), '{"cut":')
  const lines = (await read())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(lines).toMatchObject([
    {
      method: 'POST',
      path: path('fast-upload'),
      headers: { 'x-device-id': 'RC-1', 'user-agent': 'Pilot', 'x-auth-token': '[removed]' },
      body: '{"fingerprint":"F","name":"航点.JPG"}',
      status: 200,
      answer: { code: -1, data: '' }
    },
    { status: 400, answer: { message: 'invalid json' } }
  ])
})

test('no secret is ever written', async () => {
  const { post, read } = await recordedBase()
  const grant = (await (await post('/storage/api/v1/workspaces/ws/sts', '{}')).json()) as {
    data: { credentials: Record<string, string> }
  }
  await post(
    path('fast-upload'),
    JSON.stringify({ fingerprint: 'F', name: 'n', token: 'hunter2', ext: { api_secret: 'hunter2' } })
  )
  await post(path('fast-upload'), '{"broken", "password" : "hunter2')
  await post(`${path('fast-upload')}?token=hunter2`, '{}')
  await post(path('fast-upload'), '{}', {
    'x-auth-token': 'hunter2',
    authorization: 'Bearer hunter2',
    cookie: 'hunter2'
  })
  const text = await read()
  expect(text.trim().split('\n')).toHaveLength(5)
  expect(text).not.toContain(PILOT_TOKEN)
  expect(text).not.toContain('hunter2')
  expect(JSON.parse(text.split('\n')[0]!)).toMatchObject({
    answer: {
      data: {
        bucket: 'media',
        credentials: {
          security_token: '[removed]',
          access_key_secret: '[removed]',
          expire: grant.data.credentials['expire']
        }
      }
    }
  })
})

test('the files are bounded', async () => {
  const { post, read, filePath } = await recordedBase()
  const body = JSON.stringify({ fingerprint: 'F', name: 'n', path: 'x'.repeat(60_000) })
  for (let round = 0; round < 10; round++)
    await Promise.all(Array.from({ length: 60 }, () => post(path('fast-upload'), body)))
  await read()
  expect(statSync(filePath).size).toBeLessThanOrEqual(16 * 1024 * 1024)
  expect(statSync(`${filePath}.1`).size).toBeLessThanOrEqual(16 * 1024 * 1024)
})
