import { expect, it } from 'vitest'
import { getStatus } from '../shared/api/system.ts'
import { openDistantStore } from './testing/distant-store.ts'
import { startTestDaemon } from './testing/test-daemon.ts'

it('makes its bucket in a store of others while it holds nothing, and never another one', async () => {
  const { store, env } = await openDistantStore()
  const buckets = async () => (await store.engine.listBuckets()).map(({ name }) => name)
  const daemon = await startTestDaemon({ env: { ...env, FLIGHTCASE_S3_BUCKET: 'first' } })
  expect(await buckets()).toEqual(['first', 'media'])
  const form = new FormData()
  form.set('file', new Blob(['bytes'], { type: 'text/plain' }), 'note.txt')
  expect((await daemon.fetch('/api/v1/media/upload', { method: 'POST', body: form })).status).toBe(200)
  await daemon.daemon.stop()

  const { dataDir } = daemon
  const elsewhere = await startTestDaemon({ dataDir, env: { ...env, FLIGHTCASE_S3_BUCKET: 'mistyped' } })
  expect(await buckets()).toEqual(['first', 'media'])
  expect((await elsewhere.api.call(getStatus, {})).store).toMatchObject({ reachable: false })
})

it('starts without the store, which may come later', async () => {
  const { gate, env } = await openDistantStore()
  gate.cut()
  const daemon = await startTestDaemon({ env })
  expect((await daemon.api.call(getStatus, {})).store).toMatchObject({ reachable: false })
})
