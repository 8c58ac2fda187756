import { pino } from 'pino'
import { expect, test } from 'vitest'
import { plansOf, testDatabase } from '../testing/test-database.ts'
import { openExternalStore } from '../testing/test-stores.ts'
import { StoreBook } from './store-book.ts'
import { StoreIdentity } from './store-identity.ts'

const place = { endpoint: 'http://192.0.2.1:9000', bucket: 'media', rootPrefix: null }

test('a key is looked for in other stores by an index', () => {
  const db = testDatabase()
  const book = new StoreBook(db)
  expect(plansOf(db, () => book.isElsewhere('a', 'local')).filter((step) => /SCAN blob/.test(step))).toEqual([])
})

test('of one look after the other each is one that began after it was asked for', async () => {
  const { store, s3 } = await openExternalStore()
  const identity = new StoreIdentity({
    store,
    book: new StoreBook(testDatabase()),
    place,
    log: pino({ level: 'silent' })
  })
  const first = identity.assertKnown()
  const others = [identity.assertKnownNow(), identity.assertKnownNow(), identity.assertKnown()]
  await Promise.all([first, ...others])
  expect([...s3.objects.keys()]).toEqual(['.flightcase/store-id'])
  s3.objects.clear()
  // Nothing is in the catalogue that could be missing from it.
  await identity.assertKnownNow()
  expect([...s3.objects.keys()]).toEqual(['.flightcase/store-id'])
})

test('the right store is known also while it takes no writes, and an outage is no other store', async () => {
  const { store, s3 } = await openExternalStore()
  const db = testDatabase()
  const book = new StoreBook(db)
  const { etag } = await store.put('images/a', Buffer.from('a'))
  db.prepare(
    `INSERT INTO blob (id, store, key, size_bytes, etag, created_at_ms) VALUES ('b', 's3', 'images/a', 1, ?, 0)`
  ).run(etag)
  const identity = new StoreIdentity({ store, book, place, log: pino({ level: 'silent' }) })
  s3.failure = { status: 507, code: 'InsufficientStorage', methods: ['PUT'] }
  await identity.assertKnown()
  expect(book.connected()?.id ?? null).toBeNull()
  s3.failure = { status: 503, code: 'ServiceUnavailable' }
  await expect(identity.assertKnownNow()).rejects.toMatchObject({ code: 'Throttled' })
  s3.failure = null
  await identity.assertKnownNow()
  expect(book.connected()).toMatchObject({ place })
  s3.objects.clear()
  await expect(identity.assertKnownNow()).rejects.toMatchObject({ code: 'OtherStore' })
  expect([...s3.objects.keys()]).toEqual([])
})
