import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { getAsset } from '../../../shared/api/assets.ts'
import { getFileUrl, listQuarantine, quarantineBytes, releaseBytes } from '../../../shared/api/delivery.ts'
import { beginUpload, presignUpload } from '../../../shared/api/uploads.ts'
import { dronePhoto } from '../../testing/photos.ts'
import { mediaOf, refusal, startDelivery } from './delivery-bench.ts'

const digestOf = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex')
const BLOCKED = { problem: { status: 451, code: 'blob_quarantined' } }

/** A photo in the base three times, with previews, in two workspaces. */
async function startWithTwins(env: Record<string, string> = {}) {
  const delivery = await startDelivery(env)
  const photo = await dronePhoto()
  const twins: string[] = []
  for (const workspaceId of ['a', 'a', 'b'])
    twins.push(await delivery.upload(photo, { name: 'a.jpg', workspaceId, access: 'public' }))
  await delivery.base.daemon.idle()
  return { ...delivery, photo, sha256: digestOf(photo), twins }
}

test('nobody reads quarantined bytes, whichever asset they belong to, until they are released', async () => {
  const { base, read, readAsAdmin, upload, twins, sha256 } = await startWithTwins()
  const [assetId] = twins as [string]
  const other = await upload('something else', { access: 'public' })
  const { url } = await base.api.call(getFileUrl, { params: { assetId }, query: {} })
  const entry = await base.api.call(quarantineBytes, { body: { assetId, reason: 'asked by the owner' } })
  expect(entry).toMatchObject({ sha256, reason: 'asked by the owner', createdBy: 'configured:admin', assetCount: 3 })
  for (const twin of twins) {
    for (const path of [mediaOf(twin), `/thumbnail/256/${twin}`, `/thumbnail/1024/${twin}`]) {
      expect(await refusal(await read(path))).toEqual([451, 'blob_quarantined'])
      expect(await refusal(await readAsAdmin(path))).toEqual([451, 'blob_quarantined'])
    }
    const detail = await base.api.call(getAsset, { params: { assetId: twin } })
    expect(detail.isQuarantined).toBe(true)
    expect(detail.events[0]).toMatchObject({ type: 'asset.quarantined', data: { sha256 } })
  }
  expect((await read(url)).status).toBe(451)
  expect((await read(mediaOf(other))).status).toBe(200)
  await expect(base.api.call(getFileUrl, { params: { assetId }, query: {} })).rejects.toMatchObject(BLOCKED)
  await base.api.call(releaseBytes, { params: { sha256 } })
  expect((await read(mediaOf(assetId))).status).toBe(200)
  const { events, isQuarantined } = await base.api.call(getAsset, { params: { assetId } })
  expect([events[0]?.type, isQuarantined]).toEqual(['asset.released', false])
})

test('who is not allowed to read an asset does not learn that it is quarantined', async () => {
  const { base, upload, read } = await startDelivery()
  const assetId = await upload('hello')
  await base.api.call(quarantineBytes, { body: { sha256: digestOf('hello'), reason: 'x' } })
  expect(await refusal(await read(mediaOf(assetId)))).toEqual([401, 'unauthenticated'])
})

test('bytes that were quarantined before they came are refused, by digest and as a file', async () => {
  const { base, upload } = await startDelivery()
  const sha256 = digestOf('unwanted')
  const entry = await base.api.call(quarantineBytes, { body: { sha256, reason: 'known elsewhere' } })
  expect(entry.assetCount).toBe(0)
  const file = { name: 'a.bin', sizeBytes: 8, sha256 }
  for (const endpoint of [presignUpload, beginUpload])
    await expect(base.api.call(endpoint, { body: file })).rejects.toMatchObject(BLOCKED)
  await expect(upload('unwanted')).rejects.toThrow('blob_quarantined')
})

test('links by the object store are not made for quarantined bytes', async () => {
  const { base, twins, sha256 } = await startWithTwins({ FLIGHTCASE_USE_PRESIGN: 'true' })
  await base.api.call(quarantineBytes, { body: { sha256, reason: 'x' } })
  for (const assetId of twins)
    for (const query of [{}, { rendition: 'thumbnail-256' as const }])
      await expect(base.api.call(getFileUrl, { params: { assetId }, query })).rejects.toMatchObject(BLOCKED)
})

test('the list is read in pages; only operators change it', async () => {
  const { base, token, readAs } = await startDelivery()
  const digests = ['1', '2', '3'].map(digestOf).sort()
  for (const sha256 of digests) await base.api.call(quarantineBytes, { body: { sha256, reason: 'first' } })
  await base.api.call(quarantineBytes, { body: { sha256: digests[0]!, reason: 'second' } })
  const first = await base.api.call(listQuarantine, { query: { limit: 2 } })
  const rest = await base.api.call(listQuarantine, { query: { limit: 2, cursor: first.nextCursor! } })
  expect([...first.items, ...rest.items].map(({ sha256, reason }) => [sha256, reason])).toEqual([
    [digests[0], 'second'],
    [digests[1], 'first'],
    [digests[2], 'first']
  ])
  expect(rest.nextCursor).toBeNull()
  expect(await refusal(await readAs(await token('viewer'), listQuarantine.path))).toEqual([403, 'forbidden'])
  const unknown = { params: { sha256: digestOf('4') } }
  await expect(base.api.call(releaseBytes, unknown)).rejects.toMatchObject({
    problem: { code: 'quarantine_not_found' }
  })
  const both = { sha256: digests[0]!, assetId: 'a'.repeat(26), reason: 'x' }
  await expect(base.api.call(quarantineBytes, { body: both })).rejects.toMatchObject({ status: 400 })
})
