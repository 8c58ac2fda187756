import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createPhotoCard } from '../../../demo/photo-card.ts'
import { deleteAsset, listAssets } from '../../../shared/api/assets.ts'
import { abortUpload, beginUpload, presignUpload } from '../../../shared/api/uploads.ts'
import { listWorkspaces, setWorkspaceQuota } from '../../../shared/api/workspaces.ts'
import { storedKeys } from '../../testing/stored-keys.ts'
import { testController } from '../../testing/test-controller.ts'
import { startTestDaemon, type TestDaemon } from '../../testing/test-daemon.ts'
import { temporaryFolder } from '../../testing/test-database.ts'
import { type Outcome, uploadWays } from '../uploads/upload-ways.ts'

const QUOTA = { FLIGHTCASE_UPLOAD_QUOTA_GB: '0.001' }

const usageOf = async (base: TestDaemon, id: string) =>
  (await base.api.call(listWorkspaces, {})).items.find((workspace) => workspace.id === id)

function assetId(outcome: Outcome): string {
  if (!('asset' in outcome)) throw new Error(outcome.refused.join(' '))
  return outcome.asset.id
}

describe.each(Object.entries(uploadWays))('a file uploaded by %s', (_, upload) => {
  test('that does not fit is refused with numbers and leaves nothing; room comes back with what is purged', async () => {
    const base = await startTestDaemon({ env: QUOTA })
    const kept = assetId(await upload(base, randomBytes(600_000), 'a'))
    await base.daemon.idle()
    const keys = storedKeys(base.dataDir)
    expect(await upload(base, randomBytes(400_001), 'b')).toMatchObject({
      refused: [413, 'quota_exceeded'],
      problem: { details: { workspaceId: 'default', sizeBytes: 400_001, usedBytes: 600_000, quotaBytes: 1_000_000 } }
    })
    await base.daemon.idle()
    expect(storedKeys(base.dataDir)).toEqual(keys)
    await upload(base, randomBytes(400_001), 'c', { workspaceId: 'other' })
    assetId(await upload(base, randomBytes(400_000), 'd'))
    expect(await usageOf(base, 'default')).toMatchObject({
      assetTotal: 2,
      usedBytes: 1_000_000,
      pendingBytes: 0,
      quotaBytes: 1_000_000
    })
    await base.api.call(deleteAsset, { params: { assetId: kept } })
    expect(await upload(base, randomBytes(1), 'e')).toMatchObject({ refused: [413, 'quota_exceeded'] })
    await base.api.call(deleteAsset, { params: { assetId: kept }, query: { permanent: 'true' } })
    assetId(await upload(base, randomBytes(600_000), 'e'))
  })
})

test('equal bytes count once for each asset, also when they need not be sent', async () => {
  const base = await startTestDaemon({ env: QUOTA })
  const bytes = randomBytes(400_000)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  await uploadWays.form(base, bytes, 'a')
  assetId(await uploadWays.link(base, bytes, 'b', { sha256 }))
  expect(await uploadWays.link(base, bytes, 'c', { sha256 })).toMatchObject({ refused: [413, 'quota_exceeded'] })
  expect(await uploadWays.form(base, bytes, 'c')).toMatchObject({ refused: [413, 'quota_exceeded'] })
  expect((await usageOf(base, 'default'))?.usedBytes).toBe(800_000)
})

test('what is announced is kept free, also in a workspace that has nothing yet, until it is given up', async () => {
  const base = await startTestDaemon({ env: QUOTA })
  const begin = (sizeBytes: number) => base.api.call(beginUpload, { body: { name: 'a', sizeBytes } })
  const begun = await begin(600_000)
  await expect(begin(400_001)).rejects.toMatchObject({
    problem: { code: 'quota_exceeded', details: { usedBytes: 0, pendingBytes: 600_000 } }
  })
  await expect(base.api.call(presignUpload, { body: { name: 'a', sizeBytes: 400_001 } })).rejects.toMatchObject({
    problem: { code: 'quota_exceeded' }
  })
  if (begun.isStored) throw new Error('nothing can be stored')
  await base.api.call(abortUpload, { params: { uploadId: begun.uploadId } })
  await begin(1_000_000)
})

test('of many uploads at once only so many are taken as fit', async () => {
  const base = await startTestDaemon({ env: QUOTA })
  const outcomes = await Promise.all(
    Array.from({ length: 12 }, (_, index) => uploadWays.form(base, randomBytes(150_000), `${index}`))
  )
  expect(outcomes.filter((outcome) => 'asset' in outcome)).toHaveLength(6)
  expect((await base.api.call(listAssets, {})).items).toHaveLength(6)
})

test('what controllers upload counts, and is never refused', async () => {
  const base = await startTestDaemon({ env: { FLIGHTCASE_UPLOAD_QUOTA_GB: '0', FLIGHTCASE_UPLOAD_TYPES: 'video/*' } })
  const directory = join(temporaryFolder('card'), 'card')
  const card = await createPhotoCard({
    directory,
    count: 2,
    seed: 3,
    startedAt: '2026-04-07T10:00:00',
    megapixels: 0.1,
    withClip: false
  })
  const controller = testController(base, 'team')
  expect((await controller.offer(card)).uploaded).toHaveLength(2)
  const usedBytes = card.reduce((sum, file) => sum + file.sizeBytes, 0)
  expect(await usageOf(base, 'team')).toMatchObject({ assetTotal: 2, usedBytes, quotaBytes: 0 })
  expect(await uploadWays.form(base, randomBytes(1), 'a', { workspaceId: 'team' })).toMatchObject({
    refused: [415, 'media_type_not_allowed']
  })
})

test('a workspace can have a quota of its own, and lose it again', async () => {
  const base = await startTestDaemon()
  await uploadWays.form(base, randomBytes(1000), 'a')
  const set = (workspaceId: string, quotaBytes: number | null) =>
    base.api.call(setWorkspaceQuota, { params: { workspaceId }, body: { quotaBytes } })
  expect(await set('default', 1000)).toMatchObject({ usedBytes: 1000, quotaBytes: 1000 })
  expect(await uploadWays.form(base, randomBytes(1), 'a')).toMatchObject({ refused: [413, 'quota_exceeded'] })
  expect(await set('default', null)).toMatchObject({ quotaBytes: null })
  assetId(await uploadWays.form(base, randomBytes(1), 'a'))
  await expect(set('nobody', 1)).rejects.toMatchObject({ problem: { code: 'workspace_not_found' } })
})

test('workspaces are listed in pages', async () => {
  const base = await startTestDaemon()
  for (const workspaceId of ['c', 'a', 'b']) await uploadWays.form(base, randomBytes(1), 'a', { workspaceId })
  const first = await base.api.call(listWorkspaces, { query: { limit: 2 } })
  expect(first.items.map(({ id }) => id)).toEqual(['a', 'b'])
  const { nextCursor } = first
  const second = await base.api.call(listWorkspaces, { query: { limit: 2, cursor: nextCursor ?? '' } })
  expect(second).toMatchObject({ items: [{ id: 'c' }], nextCursor: null })
})
