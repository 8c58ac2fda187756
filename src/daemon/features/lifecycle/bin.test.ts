import { expect, test } from 'vitest'
import { openAdmin } from '../../../demo/admin-access.ts'
import { deleteAsset, getAsset, listAssets } from '../../../shared/api/assets.ts'
import { emptyBin, getBin } from '../../../shared/api/lifecycle.ts'
import { createToken, type Role } from '../../../shared/api/system.ts'
import { uploadMedia } from '../../../shared/api/uploads.ts'
import type { ApiClient } from '../../../shared/api-client.ts'
import { startTestDaemon, type TestDaemon } from '../../testing/test-daemon.ts'

/** Uploads a file and moves it to the bin. Gives its id. */
async function binned(base: TestDaemon, bytes: string): Promise<string> {
  const body = new FormData()
  body.append('file', new Blob([bytes]), 'a.bin')
  const answer = await base.fetch(uploadMedia.path, { method: 'POST', body })
  const { asset } = uploadMedia.response.parse(await answer.json())
  await base.api.call(deleteAsset, { params: { assetId: asset.id }, query: {} })
  return asset.id
}

async function clientOf(base: TestDaemon, role: Role): Promise<ApiClient> {
  const { secret } = await base.api.call(createToken, { body: { name: role, role } })
  return openAdmin({ url: base.ready.admin.url, token: secret }).api
}

test('the bin tells since when each asset is in it, and is emptied step by step', async () => {
  const base = await startTestDaemon()
  const ids = [await binned(base, 'one'), await binned(base, 'three')]
  const { items } = await base.api.call(listAssets, { query: { bin: 'true' } })
  expect(items.map(({ id }) => id)).toEqual([...ids].reverse())
  for (const { binnedAt } of items) expect(Math.abs(Date.parse(binnedAt ?? '') - Date.now())).toBeLessThan(3_600_000)
  const { at, ...bin } = await base.api.call(getBin, {})
  expect(bin).toEqual({ assetTotal: 2, freeableBytes: 8 })
  const empty = (limit: number) => base.api.call(emptyBin, { body: { before: at, limit } })
  expect(await empty(1)).toEqual({ purged: 1, freedBytes: 3, isMore: true })
  expect(await empty(1)).toEqual({ purged: 1, freedBytes: 5, isMore: false })
  expect(await empty(1)).toEqual({ purged: 0, freedBytes: 0, isMore: false })
  expect((await base.api.call(listAssets, { query: { bin: 'true' } })).items).toEqual([])
  for (const id of ids) expect((await base.fetch(`/media/${id}`)).status).toBe(404)
})

test('only an administrator deletes for good, or against those who hold it', async () => {
  const base = await startTestDaemon()
  const assetId = await binned(base, 'bytes')
  const operator = await clientOf(base, 'operator')
  const { at } = await operator.call(getBin, {})
  const forbidden = { status: 403, problem: { code: 'forbidden' } }
  await expect(operator.call(emptyBin, { body: { before: at } })).rejects.toMatchObject(forbidden)
  const permanent = { params: { assetId }, query: { permanent: 'true' as const } }
  await expect(operator.call(deleteAsset, permanent)).rejects.toMatchObject(forbidden)
  const forced = { params: { assetId }, query: { force: 'true' as const } }
  await expect(operator.call(deleteAsset, forced)).rejects.toMatchObject(forbidden)
  expect(await base.api.call(getAsset, { params: { assetId } })).toMatchObject({ state: 'binned' })
  expect(await base.api.call(deleteAsset, permanent)).toMatchObject({ outcome: 'purged' })
})
