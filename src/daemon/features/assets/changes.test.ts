import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import type { z } from 'zod'
import { type assetChangesSchema, updateAsset } from '../../../shared/api/asset-changes.ts'
import { deleteAsset, getAsset } from '../../../shared/api/assets.ts'
import { uploadMedia } from '../../../shared/api/uploads.ts'
import { startTestDaemon, type TestDaemon } from '../../testing/test-daemon.ts'

type Changes = z.input<typeof assetChangesSchema>

/** Uploads a file that becomes an asset. Gives its id. */
async function upload(base: TestDaemon, name = 'a.bin'): Promise<string> {
  const form = new FormData()
  form.append('file', new Blob([randomBytes(16)]), name)
  const answer = await base.fetch(uploadMedia.path, { method: 'POST', body: form })
  return uploadMedia.response.parse(await answer.json()).asset.id
}

const change = (base: TestDaemon, assetId: string, body: Changes) =>
  base.api.call(updateAsset, { params: { assetId }, body })

const refusal = (code: string) => expect.objectContaining({ problem: expect.objectContaining({ code }) })

test('name, tags, judgement and metadata change together, and everybody hears of it once', async () => {
  const base = await startTestDaemon()
  const assetId = await upload(base)
  await base.daemon.idle()
  const changed = await change(base, assetId, {
    name: ' 大桥.JPG ',
    tags: { add: ['roof', 'bridge', 'roof'] },
    moderation: { status: 'approved', labels: ['landscape'], note: 'fine' },
    metadata: { order: 7, crew: { pilot: 'ann' } }
  })
  expect(changed).toMatchObject({
    name: '大桥.JPG',
    tags: ['bridge', 'roof'],
    moderation: 'approved',
    moderationLabels: ['landscape'],
    moderationNote: 'fine',
    moderatedAt: expect.any(String),
    metadata: { order: 7, crew: { pilot: 'ann' } },
    revision: 1
  })
  expect(changed.events[0]).toMatchObject({
    type: 'asset.updated',
    data: { changed: ['name', 'tags', 'moderation', 'metadata'] }
  })
  expect(await base.api.call(getAsset, { params: { assetId } })).toEqual(changed)
})

test('what is not named stays, and what is the same already changes nothing', async () => {
  const base = await startTestDaemon()
  const assetId = await upload(base)
  await base.daemon.idle()
  await change(base, assetId, { tags: { replace: ['a', 'b', 'c'] }, metadata: { x: 1, y: 2 } })
  const second = await change(base, assetId, {
    tags: { add: ['d'], remove: ['a', 'never'] },
    metadata: { x: null, z: 3 }
  })
  expect(second).toMatchObject({ name: 'a.bin', tags: ['b', 'c', 'd'], metadata: { y: 2, z: 3 }, revision: 2 })
  const again = await change(base, assetId, { name: 'a.bin', tags: { replace: ['d', 'c', 'b'] }, metadata: { z: 3 } })
  expect(again).toEqual(second)
})

test('a change that builds on an older revision is refused', async () => {
  const base = await startTestDaemon()
  const assetId = await upload(base)
  await change(base, assetId, { ifRevision: 0, name: 'mine' })
  await expect(change(base, assetId, { ifRevision: 0, name: 'theirs' })).rejects.toEqual(refusal('asset_changed'))
  expect(await change(base, assetId, { ifRevision: 1, tags: { add: ['t'] } })).toMatchObject({
    name: 'mine',
    revision: 2
  })
})

test('what cannot be is refused, and nothing changes', async () => {
  const base = await startTestDaemon()
  const assetId = await upload(base)
  const unfit: [string, object][] = [
    ['a name with a folder', { name: 'a/b' }],
    ['a name that is a folder', { name: '..' }],
    ['an empty name', { name: '  ' }],
    ['a name that turns the direction of text', { name: 'a\u202egpj.exe' }],
    ['a name of too many bytes', { name: '桥'.repeat(86) }],
    ['half a character', { name: 'a\ud800' }],
    ['an empty tag', { tags: { add: [' '] } }],
    ['too many tags', { tags: { add: Array.from({ length: 101 }, (_, index) => `t${index}`) } }],
    ['two ways to say the tags', { tags: { replace: [], add: [] } }],
    ['a judgement nobody knows', { moderation: { status: 'good' } }],
    ['too much metadata', { metadata: { text: 'x'.repeat(17_000) } }],
    ['metadata nested too deep', { metadata: JSON.parse(`{"a":${'['.repeat(50)}${']'.repeat(50)}}`) }],
    ['what does not exist', { colour: 'red' }]
  ]
  for (const [what, changes] of unfit)
    await expect(change(base, assetId, { metadata: { kept: true }, ...changes }), what).rejects.toEqual(
      refusal('invalid_request')
    )
  expect(await base.api.call(getAsset, { params: { assetId } })).toMatchObject({ revision: 0, metadata: {} })
})

test('many small changes do not add up to more than an asset may have', async () => {
  const base = await startTestDaemon()
  const assetId = await upload(base)
  await change(base, assetId, { tags: { replace: Array.from({ length: 100 }, (_, index) => `t${index}`) } })
  await expect(change(base, assetId, { tags: { add: ['more'] } })).rejects.toEqual(refusal('invalid_request'))
  await change(base, assetId, { metadata: { first: 'x'.repeat(10_000) } })
  await expect(change(base, assetId, { metadata: { second: 'x'.repeat(10_000) } })).rejects.toEqual(
    refusal('invalid_request')
  )
})

test('what was said about an asset is gone with it', async () => {
  const base = await startTestDaemon()
  const assetId = await upload(base)
  await change(base, assetId, { tags: { add: ['t'] }, metadata: { a: 1 }, moderation: { status: 'rejected' } })
  await base.api.call(deleteAsset, { params: { assetId } })
  expect(await base.api.call(getAsset, { params: { assetId } })).toMatchObject({ tags: ['t'], moderation: 'rejected' })
  await base.api.call(deleteAsset, { params: { assetId }, query: { permanent: 'true' } })
  await expect(change(base, assetId, { name: 'b' })).rejects.toEqual(refusal('asset_not_found'))
})
