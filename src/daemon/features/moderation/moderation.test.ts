import { randomBytes } from 'node:crypto'
import { Webhook as Verifier } from 'standardwebhooks'
import { describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { changeAssets, moderateAsset, type Verdict } from '../../../shared/api/asset-changes.ts'
import { getAsset, listAssets } from '../../../shared/api/assets.ts'
import { listAudit } from '../../../shared/api/audit.ts'
import { listJobs } from '../../../shared/api/jobs.ts'
import { uploadMedia } from '../../../shared/api/uploads.ts'
import { dronePhoto } from '../../testing/photos.ts'
import { startTestDaemon, type TestDaemon } from '../../testing/test-daemon.ts'
import { answering, startTestReceiver, type TestReceiver } from '../../testing/test-receiver.ts'

const SECRET = `whsec_${randomBytes(24).toString('base64')}`
const messageSchema = z.object({
  type: z.literal('asset.moderation'),
  data: z.object({ assetId: z.string(), sha256: z.string(), url: z.string(), answerTo: z.string() }).loose()
})

function startModerated(receiver: TestReceiver, env: Record<string, string> = {}): Promise<TestDaemon> {
  return startTestDaemon({
    env: { FLIGHTCASE_MODERATION_URL: receiver.url, FLIGHTCASE_MODERATION_SECRET: SECRET, ...env }
  })
}

async function upload(base: TestDaemon, bytes: Uint8Array, name: string): Promise<string> {
  const form = new FormData()
  form.append('file', new Blob([bytes as never]), name)
  const answer = await base.fetch(uploadMedia.path, { method: 'POST', body: form })
  return uploadMedia.response.parse(await answer.json()).asset.id
}

const detail = (base: TestDaemon, assetId: string) => base.api.call(getAsset, { params: { assetId } })
const until = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 20_000, interval: 50 })
const answeringVerdict = (verdict: Partial<Verdict>) => answering(200, {}, JSON.stringify(verdict))

describe('a new asset', () => {
  test('is announced, signed, with an address that opens it, and judged by a call that comes later', async () => {
    const receiver = await startTestReceiver()
    const base = await startModerated(receiver)
    const photo = await dronePhoto()
    const assetId = await upload(base, photo, 'a.jpg')
    await until(async () => expect(await detail(base, assetId)).toMatchObject({ moderation: 'pending' }))

    expect(receiver.calls).toHaveLength(1)
    const { body, headers } = receiver.calls[0]!
    const { data } = messageSchema.parse(new Verifier(SECRET).verify(body, headers as Record<string, string>))
    expect(data).toMatchObject({
      assetId,
      workspaceId: 'default',
      name: 'a.jpg',
      kind: 'image',
      mimeType: 'image/jpeg',
      sizeBytes: photo.length,
      width: expect.any(Number)
    })
    expect(data.sha256).toBe((await detail(base, assetId)).sha256)
    expect(Buffer.from(await (await fetch(data.url)).arrayBuffer()).equals(photo)).toBe(true)

    const answer = await base.fetch(data.answerTo, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ status: 'approved', labels: ['roof'] })
    })
    expect(answer.status).toBe(200)
    expect(await detail(base, assetId)).toMatchObject({ moderation: 'approved', moderationLabels: ['roof'] })
    expect((await base.api.call(listAssets, { query: { moderation: 'approved' } })).items).toHaveLength(1)
  })

  test('is judged by the answer, and stays readable when nothing else is configured', async () => {
    const receiver = await startTestReceiver()
    receiver.answer = answeringVerdict({ status: 'rejected', labels: ['face'], note: 'a face' })
    const base = await startModerated(receiver)
    const assetId = await upload(base, await dronePhoto(), 'a.jpg')
    await until(async () =>
      expect(await detail(base, assetId)).toMatchObject({ moderation: 'rejected', moderationNote: 'a face' })
    )
    expect((await base.fetch(`/media/${assetId}`)).status).toBe(200)
  })

  test('is not announced where its kind is not wanted', async () => {
    const receiver = await startTestReceiver()
    receiver.answer = answeringVerdict({ status: 'approved' })
    const base = await startModerated(receiver, { FLIGHTCASE_MODERATION_KINDS: 'image, document' })
    const unwanted = await upload(base, randomBytes(100), 'a.mp3')
    const wanted = await upload(base, await dronePhoto(), 'a.jpg')
    await until(async () => expect(await detail(base, wanted)).toMatchObject({ moderation: 'approved' }))
    await base.daemon.idle()
    expect(receiver.calls).toHaveLength(1)
    expect(await detail(base, unwanted)).toMatchObject({ moderation: null, jobs: [] })
  })

  test('is not announced where no service is named', async () => {
    const base = await startTestDaemon()
    const assetId = await upload(base, await dronePhoto(), 'a.jpg')
    await base.daemon.idle()
    expect(await detail(base, assetId)).toMatchObject({ moderation: null, jobs: [] })
  })
})

describe('a service', () => {
  test('that is out of order is asked again, with the same id', async () => {
    const receiver = await startTestReceiver()
    receiver.answer = (call, response) => {
      if (receiver.calls.length < 2) answering(503)(call, response)
      else answeringVerdict({ status: 'approved' })(call, response)
    }
    const base = await startModerated(receiver)
    const assetId = await upload(base, await dronePhoto(), 'a.jpg')
    await until(async () => expect(await detail(base, assetId)).toMatchObject({ moderation: 'approved' }))
    const ids = receiver.calls.map(({ headers }) => headers['webhook-id'])
    expect(ids).toEqual([`moderation_${assetId}`, `moderation_${assetId}`])
  })

  test.each([
    ['refuses', answering(403)],
    ['answers a judgement that is none', answering(200, {}, '{"status":"lovely"}')],
    ['leads somewhere else', answering(302, { location: 'http://127.0.0.1:1/' })],
    ['answers without an end', answering(200, {}, 'x'.repeat(100_000))]
  ])('that %s leaves a job that says why', async (_, answer) => {
    const receiver = await startTestReceiver()
    receiver.answer = answer
    const base = await startModerated(receiver)
    const assetId = await upload(base, await dronePhoto(), 'a.jpg')
    await until(async () => {
      const { items } = await base.api.call(listJobs, { query: {} })
      expect(items).toMatchObject([{ name: 'moderation.announce', assetId, errorMessage: expect.stringMatching(/./) }])
      expect(receiver.calls.length).toBeGreaterThan(0)
    })
    expect(await detail(base, assetId)).toMatchObject({ moderation: null })
  })

  test('that answered by a call of its own first is not overruled by an answer without a judgement', async () => {
    const receiver = await startTestReceiver()
    let base: TestDaemon | undefined
    receiver.answer = (call, response) => {
      const { data } = messageSchema.parse(JSON.parse(call.body))
      const body: Verdict = { status: 'approved', labels: [], note: 'quick' }
      void base!.api
        .call(moderateAsset, { params: { assetId: data.assetId }, body })
        .then(() => answering(202)(call, response))
    }
    base = await startModerated(receiver)
    const assetId = await upload(base, await dronePhoto(), 'a.jpg')
    await until(async () => expect(await detail(base, assetId)).toMatchObject({ moderation: 'approved', jobs: [] }))
    expect(await detail(base, assetId)).toMatchObject({ moderation: 'approved', moderationNote: 'quick' })
  })
})

describe('with quarantine', () => {
  test('nobody can read what is rejected, whoever rejected it', async () => {
    const base = await startTestDaemon({ env: { FLIGHTCASE_MODERATION_ON_REJECT: 'quarantine' } })
    const [rejected, approved] = [
      await upload(base, await dronePhoto(), 'a.jpg'),
      await upload(base, randomBytes(9), 'b')
    ]
    const verdict = (status: Verdict['status']) => ({ status, labels: [], note: null })
    await base.api.call(changeAssets, {
      body: { action: 'moderate', assetIds: [rejected], moderation: verdict('rejected') }
    })
    await base.api.call(moderateAsset, { params: { assetId: approved }, body: verdict('approved') })
    await base.daemon.idle()
    expect((await base.fetch(`/media/${rejected}`)).status).toBe(451)
    expect((await base.fetch(`/media/${approved}`)).status).toBe(200)
    const { items } = await base.api.call(listAudit, { query: {} })
    expect(items.slice(0, 2).map(({ action, actor: { id }, subject }) => [action, id, subject])).toEqual([
      ['bytes.quarantined', 'system:moderation.quarantine', expect.stringMatching(/^[0-9a-f]{64}$/)],
      ['asset.rejected', 'configured:admin', rejected]
    ])
  })
})
