import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { deleteAsset, getAsset, listAssets } from '../../../shared/api/assets.ts'
import { listReferences } from '../../../shared/api/references.ts'
import { abortUpload, completeUpload, getUpload, presignUpload } from '../../../shared/api/uploads.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { dronePhoto } from '../../testing/photos.ts'
import { storedKeys } from '../../testing/stored-keys.ts'
import { startTestDaemon, type TestDaemon } from '../../testing/test-daemon.ts'
import { temporaryFolder } from '../../testing/test-database.ts'

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const refused = (code: string, status: number) => ({ status, problem: { code } })

async function presign(base: TestDaemon, fields: { name: string; sizeBytes: number } & Record<string, unknown>) {
  const answer = await base.api.call(presignUpload, { body: fields as never })
  if (answer.isStored) throw new Error('the file is stored already')
  return answer
}

const put = (link: { uploadUrl: string; headers: Record<string, string> }, bytes: Uint8Array) =>
  fetch(link.uploadUrl, { method: 'PUT', headers: link.headers, body: bytes as never })

const complete = (base: TestDaemon, uploadId: string) => base.api.call(completeUpload, { params: { uploadId } })

async function upload(base: TestDaemon, bytes: Uint8Array, fields: Record<string, unknown> = {}) {
  const link = await presign(base, { name: 'a.jpg', sizeBytes: bytes.length, ...fields })
  expect((await put(link, bytes)).status).toBe(200)
  return complete(base, link.uploadId)
}

describe('an upload by link', () => {
  test('becomes the asset whose id was told before, with the reference asked for', async () => {
    const base = await startTestDaemon()
    const photo = await dronePhoto()
    const link = await presign(base, { name: 'x/a.jpg', sizeBytes: photo.length, namespace: 'posts', owner: 'ann' })
    expect(link.publicUrl).toBe(`/media/${link.uploadId}`)
    await expect(complete(base, link.uploadId)).rejects.toMatchObject(refused('upload_incomplete', 409))
    expect((await put(link, photo)).status).toBe(200)
    const done = await complete(base, link.uploadId)
    expect(done).toMatchObject({
      asset: { id: link.uploadId, name: 'a.jpg', mimeType: 'image/jpeg', state: 'active' },
      sha256: sha256(photo),
      isDuplicate: false,
      reference: { namespace: 'posts', owner: 'ann' }
    })
    await base.daemon.idle()
    const bytes = Buffer.from(await (await base.fetch(link.publicUrl)).arrayBuffer())
    expect(bytes.equals(photo)).toBe(true)
    expect(storedKeys(base.dataDir).filter((key) => !key.startsWith('renditions/'))).toEqual([
      expect.stringMatching(/^images\//)
    ])
  })

  test('P12: may come from the pages of this base and from those that are configured, and from no others', async () => {
    const base = await startTestDaemon({ env: { FLIGHTCASE_CORS_ORIGINS: 'https://app.example.org' } })
    const link = await presign(base, { name: 'a.bin', sizeBytes: 3 })
    const asks = (origin: string) =>
      fetch(link.uploadUrl, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'PUT' } })
    const { admin, field } = base.ready
    for (const origin of [admin.url, field.url, 'https://app.example.org']) {
      const preflight = await asks(origin)
      expect([origin, preflight.status]).toEqual([origin, 200])
      const stored = await fetch(link.uploadUrl, { method: 'PUT', headers: { origin }, body: 'abc' })
      expect(stored.headers.get('access-control-allow-origin')).toBe(origin)
      expect(stored.headers.get('access-control-expose-headers')).toContain('ETag')
    }
    const foreign = await asks('https://evil.example.org')
    expect([foreign.status, foreign.headers.get('access-control-allow-origin')]).toEqual([403, null])
  })

  test('is completed once: again, and at the same time, gives the same asset', async () => {
    const base = await startTestDaemon()
    const link = await presign(base, { name: 'a.bin', sizeBytes: 3, namespace: 'posts' })
    await put(link, Buffer.from('abc'))
    const answers = await Promise.all([1, 2, 3].map(() => complete(base, link.uploadId)))
    const later = await complete(base, link.uploadId)
    for (const answer of [...answers, later]) {
      expect(answer.asset.id).toBe(link.uploadId)
      expect(answer.reference?.id).toBe(answers[0]!.reference?.id)
    }
    expect((await base.api.call(listAssets, {})).items).toHaveLength(1)
    const held = await base.api.call(listReferences, { params: { assetId: link.uploadId } })
    expect(held.items).toHaveLength(1)
    expect(await base.api.call(getUpload, { params: { uploadId: link.uploadId } })).toMatchObject({ state: 'done' })
  })

  test('of bytes that are here already keeps them once', async () => {
    const base = await startTestDaemon()
    const bytes = randomBytes(1000)
    const first = await upload(base, bytes)
    const second = await upload(base, bytes)
    expect([first.isDuplicate, second.isDuplicate]).toEqual([false, true])
    await base.daemon.idle()
    expect(storedKeys(base.dataDir)).toHaveLength(1)
    for (const { asset } of [first, second]) expect((await base.fetch(`/media/${asset.id}`)).status).toBe(200)
  })

  test('takes only bytes of the size that was told', async () => {
    const base = await startTestDaemon()
    const link = await presign(base, { name: 'a.bin', sizeBytes: 3 })
    expect((await put({ ...link, headers: {} }, Buffer.from('four'))).status).toBe(403)
    await expect(complete(base, link.uploadId)).rejects.toMatchObject(refused('upload_incomplete', 409))
  })

  test('with other bytes than announced is refused, and may be sent again', async () => {
    const base = await startTestDaemon()
    const link = await presign(base, { name: 'a.bin', sizeBytes: 3, sha256: sha256(Buffer.from('abc')) })
    await put(link, Buffer.from('abd'))
    await expect(complete(base, link.uploadId)).rejects.toMatchObject(refused('digest_mismatch', 422))
    await put(link, Buffer.from('abc'))
    expect((await complete(base, link.uploadId)).asset.id).toBe(link.uploadId)
  })

  test('that is given up cannot be completed, and leaves nothing', async () => {
    const base = await startTestDaemon()
    const link = await presign(base, { name: 'a.bin', sizeBytes: 3 })
    await put(link, Buffer.from('abc'))
    await base.api.call(abortUpload, { params: { uploadId: link.uploadId } })
    await expect(complete(base, link.uploadId)).rejects.toMatchObject(refused('upload_not_found', 404))
    await base.daemon.idle()
    expect(storedKeys(base.dataDir)).toEqual([])
  })

  test('that nobody completes is forgotten in time, with its bytes', async () => {
    const dataDir = join(temporaryFolder('sweep'), 'data')
    const first = await startTestDaemon({ dataDir })
    const link = await presign(first, { name: 'a.bin', sizeBytes: 3, linkSeconds: 60 })
    await put(link, Buffer.from('abc'))
    await first.daemon.stop()
    const clock = new ManualClock(Date.now() + 2 * 24 * 3_600_000)
    const second = await startTestDaemon({ dataDir, overrides: { clock } })
    await expect
      .poll(() => complete(second, link.uploadId).catch((error: { problem: { code: string } }) => error.problem.code))
      .toBe('upload_not_found')
    await second.daemon.idle()
    expect(storedKeys(dataDir)).toEqual([])
  })

  test.each([{ namespace: 'a', kind: 'temporary' }, { namespace: 'a', expiresInSeconds: 60 }, { owner: 'ann' }])(
    'is refused before anything is sent when its reference cannot be: %j',
    async (fields) => {
      const base = await startTestDaemon()
      await expect(presign(base, { name: 'a', sizeBytes: 1, ...fields })).rejects.toMatchObject(
        refused('invalid_request', 400)
      )
    }
  )

  test('beyond the limit gets no link', async () => {
    const base = await startTestDaemon({ env: { FLIGHTCASE_UPLOAD_MAX_GB: '0.001' } })
    await expect(presign(base, { name: 'a', sizeBytes: 1_000_001 })).rejects.toMatchObject(
      refused('payload_too_large', 413)
    )
  })
})

describe('a file whose digest is known', () => {
  test('is there at once, as another asset with a reference of its own', async () => {
    const base = await startTestDaemon()
    const photo = await dronePhoto()
    const first = await upload(base, photo)
    const answer = await base.api.call(presignUpload, {
      body: { name: 'b.jpg', sizeBytes: photo.length, sha256: sha256(photo), namespace: 'posts' }
    })
    if (!answer.isStored) throw new Error('a link was given')
    expect(answer).toMatchObject({ isDuplicate: true, asset: { name: 'b.jpg', state: 'active', kind: 'image' } })
    expect(answer.asset.id).not.toBe(first.asset.id)
    await base.daemon.idle()
    expect(await base.api.call(getAsset, { params: { assetId: answer.asset.id } })).toMatchObject({
      copies: 2,
      preview: 'ready'
    })
  })

  test.each([
    ['another size', { sizeBytes: 4 }],
    ['another workspace, which has no such file', { workspaceId: 'others' }],
    ['another digest', { sha256: '0'.repeat(64) }]
  ])('is to be uploaded with %s', async (_, change) => {
    const base = await startTestDaemon()
    await upload(base, Buffer.from('abc'))
    await presign(base, { name: 'b', sizeBytes: 3, sha256: sha256(Buffer.from('abc')), ...change })
  })

  test('is to be uploaded when its bytes were purged', async () => {
    const base = await startTestDaemon()
    const { asset } = await upload(base, Buffer.from('abc'))
    for (const permanent of ['false', 'true'] as const)
      await base.api.call(deleteAsset, { params: { assetId: asset.id }, query: { permanent } })
    await presign(base, { name: 'b', sizeBytes: 3, sha256: sha256(Buffer.from('abc')) })
  })
})
