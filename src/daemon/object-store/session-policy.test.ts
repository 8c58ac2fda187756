import { expect, test } from 'vitest'
import { openEmbeddedEndpoint } from '../testing/test-stores.ts'
import { buildSessionPolicy } from './session-policy.ts'

test('a controller sees its own objects and unfinished uploads, and nothing of others', async () => {
  const { store, harness } = await openEmbeddedEndpoint()
  const credentials = await store.issueCredentials({
    workspaceId: 'ws',
    prefixes: ['media/ws/20260407/'],
    durationSeconds: 3600,
    deviceId: 'RC-1'
  })
  const statusOf = async (query: string) => (await harness.request({ target: `/media?${query}`, credentials })).status
  for (const listing of ['list-type=2', 'uploads']) {
    expect(await statusOf(`${listing}&prefix=media%2Fws%2F20260407%2F`), listing).toBe(200)
    expect(await statusOf(`${listing}&prefix=media%2Fws%2F20260407%2FDJI_0001.MP4`), listing).toBe(200)
    for (const prefix of ['', '&prefix=', '&prefix=media%2F', '&prefix=media%2Fws2%2F20260407%2F'])
      expect(await statusOf(listing + prefix), listing + prefix).toBe(403)
  }
})

test('elsewhere unfinished uploads cannot be listed: no other store could hold that to a prefix', () => {
  for (const mode of ['strict', 'relaxed'] as const) {
    const policy = buildSessionPolicy({ bucket: 'media', prefixes: ['media/ws/20260407/'], mode })
    expect(JSON.stringify(policy)).not.toContain('ListBucketMultipartUploads')
    for (const { Action, Condition } of policy.Statement) if (Condition) expect(Action).toEqual(['s3:ListBucket'])
  }
})
