import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { type BulkAction, changeAssets } from '../../../shared/api/asset-changes.ts'
import { getAsset, listAssets } from '../../../shared/api/assets.ts'
import { createReference } from '../../../shared/api/references.ts'
import { createToken } from '../../../shared/api/system.ts'
import { uploadMedia } from '../../../shared/api/uploads.ts'
import { newId } from '../../ids.ts'
import { startTestDaemon, type TestDaemon } from '../../testing/test-daemon.ts'

async function upload(base: TestDaemon): Promise<string> {
  const form = new FormData()
  form.append('file', new Blob([randomBytes(16)]), 'a.bin')
  const answer = await base.fetch(uploadMedia.path, { method: 'POST', body: form })
  return uploadMedia.response.parse(await answer.json()).asset.id
}

/** `outcome`, or the code of a refusal, for each asset. */
async function bulk(base: TestDaemon, body: BulkAction): Promise<string[]> {
  const { results } = await base.api.call(changeAssets, { body })
  expect(results.map(({ assetId }) => assetId)).toEqual(body.assetIds)
  return results.map(({ outcome, code }) => code ?? outcome)
}

test('each asset is changed or refused by itself, and again is harmless', async () => {
  const base = await startTestDaemon()
  const [free, held, unknown] = [await upload(base), await upload(base), newId()]
  for (const owner of ['ann', 'bob'])
    await base.api.call(createReference, { params: { assetId: held }, body: { namespace: 'app', owner } })
  const assetIds = [free, held, unknown]

  expect(await bulk(base, { action: 'tag', assetIds, add: ['t', 'u'], remove: [] })).toEqual([
    'changed',
    'changed',
    'asset_not_found'
  ])
  expect(await bulk(base, { action: 'tag', assetIds: [held, held], add: ['t'], remove: ['u'] })).toEqual([
    'changed',
    'unchanged'
  ])
  const verdict = { status: 'approved' as const, labels: [], note: null }
  expect(await bulk(base, { action: 'moderate', assetIds: [free], moderation: verdict })).toEqual(['changed'])
  expect(await bulk(base, { action: 'delete', assetIds })).toEqual(['changed', 'asset_in_use', 'asset_not_found'])
  expect(await bulk(base, { action: 'delete', assetIds: [free] })).toEqual(['unchanged'])
  expect((await base.api.call(listAssets, { query: { bin: 'true' } })).items.map(({ id }) => id)).toEqual([free])

  expect(await bulk(base, { action: 'restore', assetIds })).toEqual(['changed', 'unchanged', 'asset_not_found'])
  expect(await bulk(base, { action: 'purge', assetIds: [free] })).toEqual(['asset_not_binned'])
  await bulk(base, { action: 'delete', assetIds: [free] })
  expect(await bulk(base, { action: 'purge', assetIds: [free, free] })).toEqual(['changed', 'asset_not_found'])
  expect(await base.api.call(getAsset, { params: { assetId: held } })).toMatchObject({ tags: ['t'], revision: 2 })
})

test('many assets are changed in batches', async () => {
  const base = await startTestDaemon()
  const assetIds = await Promise.all(Array.from({ length: 45 }, () => upload(base)))
  expect(new Set(await bulk(base, { action: 'tag', assetIds, add: ['all'], remove: [] }))).toEqual(new Set(['changed']))
  expect((await base.api.call(listAssets, { query: { tag: 'all' } })).items).toHaveLength(45)
})

test('only admins purge', async () => {
  const base = await startTestDaemon()
  const assetId = await upload(base)
  await bulk(base, { action: 'delete', assetIds: [assetId] })
  const { secret } = await base.api.call(createToken, { body: { name: 'office', role: 'operator' } })
  const answer = await fetch(base.ready.admin.url + changeAssets.path, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    body: JSON.stringify({ action: 'purge', assetIds: [assetId] })
  })
  expect(answer.status).toBe(403)
  expect(await bulk(base, { action: 'restore', assetIds: [assetId] })).toEqual(['changed'])
})
