import { Readable } from 'node:stream'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { loadConfig } from '../../config/load.ts'
import { Outbox } from '../../events/outbox.ts'
import { JobQueue } from '../../jobs/job-queue.ts'
import { ObjectKeys } from '../../object-keys.ts'
import { ObjectRemovals } from '../../removals/object-removals.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { blankPng } from '../../testing/photos.ts'
import { testDatabase } from '../../testing/test-database.ts'
import { openEmbeddedStore } from '../../testing/test-stores.ts'
import { loopbackNames, remoteEnv, startOrigin } from './remote-bench.ts'
import { RemoteFetcher } from './remote-fetcher.ts'

const DAY_MS = 86_400_000
const png = blankPng(8, 8)

async function openFetcher() {
  const origin = await startOrigin((request, response) =>
    request.headers['if-none-match'] === '"v1"'
      ? void response.writeHead(304).end()
      : void response.writeHead(200, { etag: '"v1"' }).end(png)
  )
  const db = testDatabase()
  const clock = new ManualClock()
  const log = pino({ level: 'silent' })
  const queue = new JobQueue({ db, clock, outbox: new Outbox({ db, clock }) })
  const removals = new ObjectRemovals({ db, queue, clock, log, storeKind: 'local' })
  const store = await openEmbeddedStore()
  const { remote: config } = loadConfig({ flags: { dataDir: 'unused' }, env: remoteEnv(origin) })
  const fetcher = new RemoteFetcher({
    store,
    keys: new ObjectKeys(),
    removals,
    clock,
    config,
    rules: {
      ...config,
      isAllowedAddress: () => true,
      lookup: loopbackNames,
      connectTimeoutMs: 5000,
      answerTimeoutMs: 5000
    },
    userAgent: 'test',
    assertNotQuarantined: () => {}
  })
  const never = new AbortController().signal
  return {
    origin,
    clock,
    removals,
    store,
    fetch: (file: Parameters<RemoteFetcher['fetch']>[0]['file']) =>
      fetcher.fetch({ url: origin.url('/a'), file }, never),
    /** What the removal of objects does, where no row names any of them. */
    removeDue: () =>
      removals
        .bindJob({ store, isInUse: () => false, exclusively: (_, work) => work() })
        .run({}, { signal: never, log, attempt: 1, reportProgress: () => {} })
  }
}

test('bytes that no row came to name are removed, a day later', async () => {
  const { fetch, store, clock, removeDue } = await openFetcher()
  const { file } = await fetch(null)
  clock.advanceMs(DAY_MS - 1)
  await removeDue()
  expect(await store.head(file.key)).not.toBeNull()
  clock.advanceMs(1)
  await removeDue()
  expect(await store.head(file.key)).toBeNull()
})

test('the origin is asked whether the file changed only where its bytes are still here', async () => {
  const { fetch, store, clock, origin } = await openFetcher()
  const first = await fetch(null)
  clock.advanceMs(DAY_MS)
  const second = await fetch(first.file)
  expect(second).toEqual({
    file: { ...first.file, fetchedAtMs: clock.nowMs(), freshUntilMs: clock.nowMs() + DAY_MS },
    isNew: false
  })
  // It may lead elsewhere by now, where the same mark means something else.
  expect(await fetch({ ...second.file, originUrl: origin.url('/b') })).toMatchObject({ isNew: true })
  await store.uploadStream(first.file.key, Readable.from([Buffer.from('other bytes')]))
  expect(await fetch(first.file)).toMatchObject({ isNew: true, file: { sha256: first.file.sha256 } })
  await store.delete(first.file.key)
  expect(await fetch(first.file)).toMatchObject({ isNew: true })
  const asked = origin.requests.map(({ headers }) => headers['if-none-match'])
  expect(asked).toEqual([undefined, '"v1"', undefined, undefined, undefined])
})
