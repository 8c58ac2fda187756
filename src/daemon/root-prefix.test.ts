import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createPhotoCard } from '../demo/photo-card.ts'
import { deleteAsset, getAsset, listAssets } from '../shared/api/assets.ts'
import { collectGarbage } from '../shared/api/lifecycle.ts'
import { createReference } from '../shared/api/references.ts'
import { cacheRemoteMedia, getRemoteMedia } from '../shared/api/remote.ts'
import { getStatus } from '../shared/api/system.ts'
import { TUS_PATH } from '../shared/api/tus.ts'
import { beginUpload, completeUpload, presignUpload, uploadMedia } from '../shared/api/uploads.ts'
import { EndpointHarness, REGION, type TestCredentials } from './embedded-store/endpoint/endpoint-harness.ts'
import { loopbackNames, remoteEnv, startOrigin } from './features/remote/remote-bench.ts'
import { newId } from './ids.ts'
import { ManualClock } from './testing/manual-clock.ts'
import { blankPng, dronePhoto } from './testing/photos.ts'
import { storedKeys } from './testing/stored-keys.ts'
import { testController } from './testing/test-controller.ts'
import { startTestDaemon, type TestDaemon } from './testing/test-daemon.ts'
import { temporaryFolder } from './testing/test-database.ts'

const DAY_MS = 24 * 3_600_000
const TEAM_A = 'e3dea0f5-37f2-4d79-ae58-490af3228069'
const TEAM_B = '0f2b8a7c-1d7e-4a0c-9d57-0c2b7b1b8a11'

/** A base with a clock of its own that can be stopped and started again; with a bucket of `external` where that is given. */
class Tenant {
  readonly clock = new ManualClock(Date.now())
  readonly #dataDir = join(temporaryFolder('tenant'), 'data')
  readonly #env: Record<string, string>
  base!: TestDaemon

  constructor(external: EndpointHarness | null, env: Record<string, string> = {}, credentials?: TestCredentials) {
    const { accessKeyId, secretAccessKey } = credentials ?? external?.admin ?? { accessKeyId: '', secretAccessKey: '' }
    this.#env = {
      ...env,
      ...(external && {
        FLIGHTCASE_OBJECT_STORE: 'external',
        FLIGHTCASE_S3_ENDPOINT: external.url,
        FLIGHTCASE_S3_ACCESS_KEY: accessKeyId,
        FLIGHTCASE_S3_SECRET_KEY: secretAccessKey,
        FLIGHTCASE_S3_REGION: REGION
      })
    }
  }

  async start(prefix: string | null): Promise<TestDaemon> {
    await this.base?.daemon.stop()
    this.base = await startTestDaemon({
      dataDir: this.#dataDir,
      env: { ...this.#env, ...(prefix === null ? {} : { FLIGHTCASE_BUCKET_ROOT_PREFIX: prefix }) },
      overrides: { clock: this.clock, lookup: loopbackNames }
    })
    return this.base
  }

  /** Keys in its own store. */
  keys = () => storedKeys(this.#dataDir)

  async upload(bytes: Buffer, fields: Record<string, string> = {}) {
    const form = new FormData()
    for (const [field, value] of Object.entries(fields)) form.append(field, value)
    form.append('file', new Blob([bytes as never]), 'a.jpg')
    const answer = await this.base.fetch(uploadMedia.path, { method: 'POST', body: form })
    expect(answer.status).toBe(200)
    return uploadMedia.response.parse(await answer.json())
  }

  async bytes(assetId: string): Promise<Buffer> {
    const answer = await this.base.fetch(`/media/${assetId}`)
    expect(answer.status).toBe(200)
    return Buffer.from(await answer.arrayBuffer())
  }

  detail = (assetId: string) => this.base.api.call(getAsset, { params: { assetId } })

  /** Lets time pass, and what follows from it. */
  async lapse(ms: number): Promise<void> {
    this.clock.advanceMs(ms)
    await this.base.api.call(collectGarbage, { body: {} })
    await this.base.daemon.idle()
  }

  async purge(assetId: string): Promise<void> {
    await this.base.api.call(deleteAsset, { params: { assetId }, query: {} })
    await this.base.api.call(deleteAsset, { params: { assetId }, query: { permanent: 'true' } })
    await this.base.daemon.idle()
  }

  /** Uploads new photos as a controller does. */
  async fly(workspaceId: string, count: number): Promise<void> {
    const card = await createPhotoCard({
      directory: join(temporaryFolder('card'), 'card'),
      ...{ count, seed: count, startedAt: '2026-04-07T10:00:00', megapixels: 0.1, withClip: false }
    })
    expect((await testController(this.base, workspaceId).offer(card)).uploaded).toHaveLength(count)
    await this.base.daemon.idle()
  }
}

async function openBucket(): Promise<EndpointHarness> {
  const harness = await EndpointHarness.open()
  onTestFinished(() => harness.dispose())
  return harness
}

/** All but the id that each base looks for. */
async function bucketKeys({ engine }: EndpointHarness): Promise<string[]> {
  const { entries, next } = await engine.listObjects({ bucket: 'media', limit: 1000 })
  expect(next).toBeNull()
  return entries
    .map((entry) => ('object' in entry ? entry.object.key : entry.prefix))
    .filter((key) => !key.endsWith('.flightcase/store-id'))
}

/** May write and read below the prefix and in a workspace's folder, and nowhere else. */
const tenantPolicy = (prefix: string, workspaceId: string) => ({
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Action: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload'],
      Resource: [`arn:aws:s3:::media/${prefix}/*`, `arn:aws:s3:::media/media/${workspaceId}/*`]
    },
    { Effect: 'Allow', Action: ['s3:ListBucket', 's3:GetBucketLocation', 'sts:AssumeRole'], Resource: '*' }
  ]
})

describe.each(['embedded', 'external'] as const)('with a prefix, in an %s store', (mode) => {
  test('whatever the base names is below it, by every way in; controllers name theirs as ever', async () => {
    const prefix = 'tenant-a/媒体 1'
    const bucket = mode === 'external' ? await openBucket() : null
    const photo = await dronePhoto()
    const origin = await startOrigin((_, response) => void response.end(blankPng(8, 8)))
    const user = bucket?.user({ name: 'tenant', policy: tenantPolicy(prefix, TEAM_A), canAssume: true })
    const tenant = new Tenant(bucket, remoteEnv(origin), user)
    const { api, daemon, fetch: call } = await tenant.start(prefix)

    await tenant.upload(photo, { namespace: 'posts' })
    const linked = Buffer.from('by a link')
    const link = await api.call(presignUpload, { body: { name: 'a.txt', sizeBytes: linked.length } })
    if (link.isStored) throw new Error('it is stored already')
    expect(decodeURIComponent(new URL(link.uploadUrl).pathname)).toBe(`/media/${prefix}/incoming/${link.uploadId}`)
    expect((await fetch(link.uploadUrl, { method: 'PUT', headers: link.headers, body: linked })).status).toBe(200)
    await api.call(completeUpload, { params: { uploadId: link.uploadId } })

    const parted = Buffer.from('in parts')
    const begun = await api.call(beginUpload, { body: { name: 'a.bin', sizeBytes: parted.length } })
    if (begun.isStored) throw new Error('it is stored already')
    const part = `/api/v1/uploads/${begun.uploadId}/parts/1`
    expect((await call(part, { method: 'PUT', body: parted as never })).status).toBe(200)
    await api.call(completeUpload, { params: { uploadId: begun.uploadId } })

    const tus = { 'tus-resumable': '1.0.0' }
    const created = await call(TUS_PATH, { method: 'POST', headers: { ...tus, 'upload-length': '3' } })
    const sent = await call(created.headers.get('location') ?? '', {
      method: 'PATCH',
      headers: { ...tus, 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' },
      body: 'tus'
    })
    expect(sent.status).toBe(204)

    const { taskId } = await api.call(cacheRemoteMedia, { body: { url: origin.url('/a.png') } })
    await tenant.fly(TEAM_A, 2)
    await daemon.idle()
    expect(await api.call(getRemoteMedia, { params: { taskId } })).toMatchObject({ status: 'ready' })
    expect((await api.call(getStatus, {})).store).toMatchObject({ reachable: true, writable: true })

    const folders = (bucket ? await bucketKeys(bucket) : tenant.keys()).map((key) =>
      key.startsWith(`${prefix}/`)
        ? `{prefix}/${key.slice(prefix.length + 1).split('/')[0]}`
        : key.split('/').slice(0, 2).join('/')
    )
    expect([...new Set(folders)].sort()).toEqual([
      `media/${TEAM_A}`,
      '{prefix}/cached_remote',
      '{prefix}/documents',
      '{prefix}/images',
      '{prefix}/renditions'
    ])
    const { items } = await api.call(listAssets, {})
    expect(items).toHaveLength(6)
    for (const { id, sizeBytes } of items) expect(await tenant.bytes(id)).toHaveLength(sizeBytes)
    expect(bucket?.denied ?? []).toEqual([])
  })

  test('another prefix is for new objects: older ones are read, archived and purged as before', async () => {
    const bucket = mode === 'external' ? await openBucket() : null
    const tenant = new Tenant(bucket, { FLIGHTCASE_ORPHAN_POLICY: 'archive' })
    const keys = async () => (bucket ? await bucketKeys(bucket) : tenant.keys())
    const photos = await Promise.all([1, 2].map((n) => dronePhoto({ iso: n })))
    await tenant.start(null)
    const kept = await tenant.upload(photos[0]!, { namespace: 'posts' })
    const orphan = await tenant.upload(photos[1]!)
    const link = await tenant.base.api.call(presignUpload, {
      body: { name: 'a.txt', sizeBytes: 3, namespace: 'posts' }
    })
    if (link.isStored) throw new Error('it is stored already')
    expect((await fetch(link.uploadUrl, { method: 'PUT', headers: link.headers, body: 'abc' })).status).toBe(200)
    await tenant.base.daemon.idle()
    const before = await keys()
    expect(before.every((key) => /^(images|renditions|incoming)\//.test(key))).toBe(true)

    await tenant.start('tenant-a')
    expect((await tenant.bytes(kept.asset.id)).equals(photos[0]!)).toBe(true)
    await tenant.base.api.call(completeUpload, { params: { uploadId: link.uploadId } })
    expect(await tenant.upload(photos[0]!)).toMatchObject({ isDuplicate: true })
    await tenant.lapse(DAY_MS)
    expect(await tenant.detail(orphan.asset.id)).toMatchObject({ tier: 'cold' })
    expect((await tenant.bytes(orphan.asset.id)).equals(photos[1]!)).toBe(true)
    const added = (await keys()).filter((key) => !before.includes(key))
    expect(added).toContainEqual(expect.stringMatching(/^tenant-a\/archive\/images\//))
    expect(added.filter((key) => !key.startsWith('tenant-a/'))).toEqual([])

    await tenant.start('tenant-b/media')
    await tenant.base.api.call(createReference, {
      params: { assetId: orphan.asset.id },
      body: { namespace: 'posts' }
    })
    await tenant.base.daemon.idle()
    expect(await tenant.detail(orphan.asset.id)).toMatchObject({ tier: 'hot' })
    // Where it was, links of the store may still lead for a day.
    await tenant.lapse(DAY_MS)
    await tenant.start('tenant-b/media')
    await tenant.base.daemon.idle()
    expect((await keys()).filter((key) => key.includes('archive/'))).toEqual([])
    expect((await tenant.bytes(orphan.asset.id)).equals(photos[1]!)).toBe(true)
    for (const bin of ['false', 'true']) {
      const { items } = await tenant.base.api.call(listAssets, { query: { bin } })
      for (const { id } of items) await tenant.purge(id)
    }
    await tenant.start(null)
    await tenant.base.daemon.idle()
    expect(await keys()).toEqual([])
  })
})

test('bases with prefixes in one bucket see nothing of each other, and remove nothing', {
  timeout: 120_000
}, async () => {
  const bucket = await openBucket()
  const [a, b] = [new Tenant(bucket), new Tenant(bucket)]
  const photo = await dronePhoto()
  await a.start('tenant-a')
  await b.start('tenant-b')
  const [ofA, ofB] = [await a.upload(photo, { namespace: 'posts' }), await b.upload(photo, { namespace: 'posts' })]
  await a.fly(TEAM_A, 1)
  await b.fly(TEAM_B, 2)
  // What no base knows: uploads whose reports were lost, and copies that nobody recorded.
  const [blobOfA] = (await a.detail(ofA.asset.id)).objectKey!.split('/').slice(-1)
  const leftover = `tenant-a/archive/others/2026/04/07/${blobOfA!.slice(0, 26)}.jpg`
  const lost = `media/${TEAM_A}/20260407/LOST.JPG`
  for (const key of [lost, `media/${TEAM_B}/20260407/LOST.JPG`, leftover]) await bucket.put(key, photo)
  for (const folder of ['tenant-b', 'tenant-b/archive'])
    await bucket.put(`${folder}/others/2026/04/07/${newId()}.jpg`, photo)
  const isOfB = (key: string) => key.startsWith('tenant-b/') || key.startsWith(`media/${TEAM_B}/`)
  const before = (await bucketKeys(bucket)).filter(isOfB)
  expect(before.length).toBeGreaterThan(6)

  // Only after a day such copies count as forgotten.
  await b.base.daemon.stop()
  a.clock.advanceMs(25 * 3_600_000)
  await a.start('tenant-a')
  // It is in the folder that a pass comes to last.
  await vi.waitFor(async () => expect(await bucketKeys(bucket)).not.toContain(leftover), { timeout: 60_000 })
  const { items } = await a.base.api.call(listAssets, {})
  expect(items.map(({ name }) => name)).toContain('LOST.JPG')
  expect(items.filter(({ workspaceId }) => workspaceId === TEAM_B)).toEqual([])
  for (const { id } of items) await a.purge(id)
  expect((await bucketKeys(bucket)).filter((key) => !isOfB(key))).toEqual([])
  expect((await bucketKeys(bucket)).filter(isOfB)).toEqual(before)

  await b.start('tenant-b')
  expect((await b.bytes(ofB.asset.id)).equals(photo)).toBe(true)
})
