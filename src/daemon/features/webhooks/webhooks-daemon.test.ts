import { randomBytes } from 'node:crypto'
import { Webhook as Verifier } from 'standardwebhooks'
import { expect, onTestFinished, test, vi } from 'vitest'
import { openAdmin } from '../../../demo/admin-access.ts'
import { launchDaemon } from '../../../demo/daemon-process.ts'
import { createToken } from '../../../shared/api/system.ts'
import { uploadMedia } from '../../../shared/api/uploads.ts'
import {
  createWebhook,
  deleteWebhook,
  getWebhook,
  listWebhookDeliveries,
  listWebhooks,
  replayWebhook,
  rotateWebhookSecret,
  testWebhook,
  updateWebhook
} from '../../../shared/api/webhooks.ts'
import { startTestDaemon } from '../../testing/test-daemon.ts'
import { temporaryFolder } from '../../testing/test-database.ts'
import { answering, startTestReceiver } from '../../testing/test-receiver.ts'

const NOBODY = '0'.repeat(26)

async function upload(adminUrl: string, token: string): Promise<string> {
  const body = new FormData()
  body.append('file', new Blob([randomBytes(100)]), 'a.bin')
  const headers = { authorization: `Bearer ${token}` }
  const answer = await fetch(adminUrl + uploadMedia.path, { method: 'POST', body, headers })
  return uploadMedia.response.parse(await answer.json()).asset.id
}

test('an upload is told to a webhook, which is made, changed and removed through the API', async () => {
  const base = await startTestDaemon()
  const receiver = await startTestReceiver()
  const { id, secret, ...made } = await base.api.call(createWebhook, {
    body: { url: receiver.url, types: ['asset.arrived'] }
  })
  expect(made).toMatchObject({ url: receiver.url, types: ['asset.arrived'], isEnabled: true, state: 'ok' })
  const params = { webhookId: id }
  const assetId = await upload(base.ready.admin.url, base.ready.admin.token)
  await vi.waitFor(() => expect(receiver.calls).toHaveLength(1), 10_000)
  const { body, headers } = receiver.calls[0]!
  expect(new Verifier(secret).verify(body, headers as never)).toMatchObject({ subject: assetId })

  expect(await base.api.call(testWebhook, { params })).toMatchObject({ cause: 'test', outcome: 'delivered' })
  const log = await base.api.call(listWebhookDeliveries, { params, query: { outcome: 'delivered' } })
  expect(log.items.map(({ cause }) => cause)).toEqual(['test', 'event'])
  const rotated = await base.api.call(rotateWebhookSecret, { params })
  expect(rotated.secret).not.toBe(secret)
  expect(await base.api.call(updateWebhook, { params, body: { types: '*' } })).toMatchObject({ types: '*' })
  await base.api.call(replayWebhook, { params, body: { fromSeq: 1 } })
  await vi.waitFor(() => expect(receiver.calls.length).toBeGreaterThan(2), 10_000)

  const listed = await base.fetch(listWebhooks.path)
  const listedText = await listed.text()
  expect(listedText).toContain(id)
  expect(listedText).not.toContain('whsec_')
  await base.api.call(deleteWebhook, { params })
  await expect(base.api.call(getWebhook, { params })).rejects.toMatchObject({ problem: { code: 'webhook_not_found' } })
})

test('what is not valid is refused, and only administrators may look', async () => {
  const base = await startTestDaemon()
  for (const url of ['ftp://a/', 'http://ann:secret@a/', 'http://a/#b', 'a', `http://a/${'x'.repeat(3000)}`])
    await expect(base.api.call(createWebhook, { body: { url } })).rejects.toMatchObject({
      problem: { code: 'invalid_request' }
    })
  await expect(
    base.api.call(createWebhook, { body: { url: 'http://a/', types: ['asset.sold' as never] } })
  ).rejects.toMatchObject({ problem: { code: 'invalid_request' } })
  expect((await base.api.call(listWebhooks, {})).items).toEqual([])
  for (const call of [deleteWebhook, testWebhook, rotateWebhookSecret])
    await expect(base.api.call(call, { params: { webhookId: NOBODY } })).rejects.toMatchObject({
      problem: { code: 'webhook_not_found' }
    })
  const { secret } = await base.api.call(createToken, { body: { name: 'o', role: 'operator' } })
  const answer = await base.fetch(listWebhooks.path, { headers: { authorization: `Bearer ${secret}` } })
  expect(answer.status).toBe(403)
})

test('nothing is lost when the program is killed in the middle of a delivery', async () => {
  const dataDir = temporaryFolder('killed')
  const receiver = await startTestReceiver()
  const begin = async () => {
    const process = launchDaemon({ dataDir, env: { FLIGHTCASE_ADMIN_TOKEN: 'a-token-of-the-test' } })
    onTestFinished(() => process.kill())
    const { url, token } = (await process.ready).admin
    const { api } = openAdmin({ url, token })
    return { process, api, upload: () => upload(url, token) }
  }
  const before = await begin()
  await before.api.call(createWebhook, { body: { url: receiver.url, types: ['asset.arrived'] } })
  const assetIds = [await before.upload()]
  await vi.waitFor(() => expect(receiver.calls).toHaveLength(1), 10_000)
  receiver.answer = () => {}
  for (let n = 0; n < 3; n++) assetIds.push(await before.upload())
  await vi.waitFor(() => expect(receiver.calls).toHaveLength(2), 10_000)
  await before.process.kill()

  receiver.answer = answering(204)
  const after = await begin()
  assetIds.push(await after.upload())
  const events = () =>
    receiver.calls.map(({ body, headers }) => ({ ...JSON.parse(body), webhookId: headers['webhook-id'] }))
  await vi.waitFor(() => expect(events().at(-1)).toMatchObject({ subject: assetIds[4] }), 10_000)
  // The one that was under way is told again, as the same event.
  const [first, ...others] = assetIds
  expect(events().map(({ subject }) => subject)).toEqual([first, others[0], ...others])
  expect(events()[2]).toEqual(events()[1])
})
