import { describe, expect, test } from 'vitest'
import { getAsset } from '../../../shared/api/assets.ts'
import { setAssetAccess } from '../../../shared/api/delivery.ts'
import { beginUpload } from '../../../shared/api/uploads.ts'
import { mediaOf, refusal, startDelivery } from './delivery-bench.ts'

const statusOf = async (answer: Promise<Response>) => {
  const { status, body } = await answer
  await body?.cancel()
  return status
}

describe('who may read an asset', () => {
  test('private: who stored it, also in a browser, and admins', async () => {
    const { upload, token, session, read, readAs, readAsAdmin } = await startDelivery()
    const [owner, other] = [await token('operator'), await token('operator')]
    const path = mediaOf(await upload('secret', { secret: owner, access: 'private' }))
    expect(await statusOf(readAs(owner, path))).toBe(200)
    expect(await statusOf(read(path, { cookie: await session(owner) }))).toBe(200)
    expect(await statusOf(readAsAdmin(path))).toBe(200)
    expect(await refusal(await readAs(other, path))).toEqual([403, 'forbidden'])
    expect(await refusal(await read(path, { cookie: await session(other) }))).toEqual([403, 'forbidden'])
    expect(await refusal(await read(path))).toEqual([401, 'unauthenticated'])
  })

  test('what a fixed token stored privately is for admins only', async () => {
    const { upload, token, readAs } = await startDelivery()
    const path = mediaOf(await upload('secret', { access: 'private' }))
    expect(await statusOf(readAs(await token('operator'), path))).toBe(403)
  })

  test('workspace, the default: every token; signed: operators; public: everyone', async () => {
    const { upload, token, read, readAs, setAccess } = await startDelivery()
    const [viewer, operator] = [await token('viewer'), await token('operator')]
    const assetId = await upload('hello')
    const path = mediaOf(assetId)
    const statuses = async () => [
      await statusOf(read(path)),
      await statusOf(readAs(viewer, path)),
      await statusOf(readAs(operator, path))
    ]
    expect(await statuses()).toEqual([401, 200, 200])
    await setAccess(assetId, 'signed')
    expect(await statuses()).toEqual([401, 403, 200])
    await setAccess(assetId, 'public')
    expect(await statuses()).toEqual([200, 200, 200])
  })

  test('a wrong token does not keep anyone from what is public', async () => {
    const { upload, readAs } = await startDelivery()
    const path = mediaOf(await upload('hello', { access: 'public' }))
    expect(await statusOf(readAs('nonsense', path))).toBe(200)
  })
})

test('whoever may not read an asset cannot open it to others, either', async () => {
  const { upload, base, token, url } = await startDelivery()
  const assetId = await upload('secret', { secret: await token('operator'), access: 'private' })
  const answer = await fetch(`${url}/api/v1/assets/${assetId}/access`, {
    method: setAssetAccess.method,
    headers: { authorization: `Bearer ${await token('operator')}`, 'content-type': 'application/json' },
    body: JSON.stringify({ access: 'public' })
  })
  expect(await refusal(answer)).toEqual([403, 'forbidden'])
  expect((await base.api.call(getAsset, { params: { assetId } })).access).toBe('private')
})

test('a change is told of; setting the same again is not', async () => {
  const { upload, base, setAccess } = await startDelivery()
  const assetId = await upload('hello')
  const changes = async () =>
    (await base.api.call(getAsset, { params: { assetId } })).events
      .filter(({ type, data }) => type === 'asset.updated' && 'access' in data)
      .map(({ data }) => data)
  expect(await setAccess(assetId, 'public', 60)).toEqual({ access: 'public', cacheSeconds: 60 })
  await setAccess(assetId, 'public', 60)
  expect(await changes()).toEqual([{ access: 'public', cacheSeconds: 60 }])
})

test('how long copies may be kept follows from the policy', async () => {
  const { upload, read, readAsAdmin, setAccess } = await startDelivery()
  const assetId = await upload('hello')
  const cacheOf = async (answer: Promise<Response>) => (await answer).headers.get('cache-control')
  expect(await cacheOf(readAsAdmin(mediaOf(assetId)))).toBe('private, no-cache')
  await setAccess(assetId, 'public')
  expect(await cacheOf(read(mediaOf(assetId)))).toBe('public, max-age=3600')
  await setAccess(assetId, 'public', 60)
  expect(await cacheOf(read(mediaOf(assetId)))).toBe('public, max-age=60')
})

test("the digest of somebody else's private file does not give the file", async () => {
  const { upload, base, token, url } = await startDelivery()
  const owner = await token('operator')
  const assetId = await upload('secret', { secret: owner, access: 'private' })
  const { sha256 } = await base.api.call(getAsset, { params: { assetId } })
  const begin = async (secret: string) => {
    const answer = await fetch(url + beginUpload.path, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'a.bin', sizeBytes: 6, sha256 })
    })
    return beginUpload.response.parse(await answer.json()).isStored
  }
  expect(await begin(await token('operator'))).toBe(false)
  expect(await begin(owner)).toBe(true)
})
