import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deleteAsset, getAsset } from '../../../shared/api/assets.ts'
import {
  createReference,
  createReferences,
  deleteReference,
  deleteReferences,
  findReferences,
  listReferences,
  newReferenceSchema
} from '../../../shared/api/references.ts'
import { AuditLog } from '../../audit/audit-log.ts'
import { openDatabase } from '../../db/database.ts'
import { migrations } from '../../db/migrations/all.ts'
import { Outbox } from '../../events/outbox.ts'
import { newId } from '../../ids.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { startTestDaemon } from '../../testing/test-daemon.ts'
import { testDatabase } from '../../testing/test-database.ts'
import { BinService } from './bin.service.ts'
import { insertAsset } from './catalogue-rows.ts'
import { ReferencesRepository } from './references.repository.ts'
import { ReferencesService } from './references.service.ts'

function openLifecycle() {
  const db = testDatabase()
  const clock = new ManualClock()
  const outbox = new Outbox({ db, clock })
  const audit = new AuditLog({ db, clock })
  const holders = new ReferencesRepository(db)
  const references = new ReferencesService({ db, holders, outbox, audit, clock, reviewPlace: () => {} })
  const uploads: string[] = []
  const bin = new BinService({
    db,
    clock,
    outbox,
    audit,
    holders,
    references,
    reviewPlace: () => {},
    forgetUploads: (assetId) => uploads.push(`forget ${assetId}`),
    rememberUploads: (assetId) => uploads.push(`remember ${assetId}`)
  })
  const addAsset = () => insertAsset(db, clock.nowMs())
  return { db, clock, outbox, holders, references, bin, uploads, addAsset }
}

const strong = (change: object = {}) => newReferenceSchema.parse({ namespace: 'posts', ...change })
const codeOf = (work: () => unknown): string => {
  try {
    work()
  } catch (error) {
    return (error as { code: string }).code
  }
  return 'no error'
}

describe('a reference', () => {
  test('holds the asset as long as it exists, and its end begins the grace period', () => {
    const { references, holders, clock, addAsset, outbox } = openLifecycle()
    const assetId = addAsset()
    const { reference, isNew, refCount } = references.create(assetId, strong({ owner: 'ann', businessTag: 'avatar' }))
    expect({ isNew, refCount }).toEqual({ isNew: true, refCount: 1 })
    expect(reference).toMatchObject({
      assetId,
      kind: 'strong',
      namespace: 'posts',
      owner: 'ann',
      businessTag: 'avatar'
    })
    expect(holders.findLife(assetId)).toEqual({
      refCount: 1,
      pendingSinceMs: null,
      archivedAtMs: null,
      binnedAtMs: null
    })
    clock.advanceMs(1000)
    expect(references.delete(reference.id).life).toEqual({
      refCount: 0,
      pendingSinceMs: clock.nowMs(),
      archivedAtMs: null,
      binnedAtMs: null
    })
    expect(codeOf(() => references.delete(reference.id))).toBe('reference_not_found')
    expect(outbox.readFor(assetId, 10).map(({ data }) => data)).toEqual([
      { added: 0, removed: 1, refCount: 0, state: 'pending_reference' },
      { added: 1, removed: 0, refCount: 1, state: 'active' }
    ])
  })

  test('is the same one when the same holder creates it again; another kind, owner or thing is another one', () => {
    const { references, holders, addAsset } = openLifecycle()
    const assetId = addAsset()
    const first = references.create(assetId, strong({ owner: 'ann', externalId: '7' }))
    const again = references.create(assetId, strong({ owner: 'ann', externalId: '7', businessTag: 'cover' }))
    expect(again).toMatchObject({
      isNew: false,
      refCount: 1,
      reference: { id: first.reference.id, businessTag: 'cover' }
    })
    for (const other of [{ owner: 'ann' }, { owner: 'bob', externalId: '7' }, { namespace: 'chat' }, { kind: 'weak' }])
      expect(references.create(assetId, strong(other)).isNew).toBe(true)
    expect(holders.findLife(assetId)?.refCount).toBe(4)
  })

  test('of the weak or temporary kind is listed and does not count; a temporary one is renewed and expires', () => {
    const { references, holders, clock, addAsset } = openLifecycle()
    const assetId = addAsset()
    const temporary = (expiresInSeconds: number) =>
      references.create(assetId, strong({ kind: 'temporary', expiresInSeconds })).reference
    expect(references.create(assetId, strong({ kind: 'weak' })).refCount).toBe(0)
    const { expiresAt } = temporary(60)
    expect(temporary(30).expiresAt).toBe(expiresAt)
    expect(temporary(90).expiresAt).toBe(new Date(clock.nowMs() + 90_000).toISOString())
    expect(references.deleteExpired(10)).toBe(0)
    clock.advanceMs(90_000)
    expect(references.deleteExpired(10)).toBe(1)
    expect(holders.listOfAsset(assetId, { limit: 10 }).map(({ kind }) => kind)).toEqual(['weak'])
    expect(holders.findLife(assetId)).toMatchObject({ refCount: 0 })
  })

  test('cannot be made to what is not there, or in the bin', () => {
    const { references, bin, addAsset } = openLifecycle()
    expect(codeOf(() => references.create(newId(), strong()))).toBe('asset_not_found')
    const assetId = addAsset()
    bin.delete(assetId, { guard: false, caller: null })
    expect(codeOf(() => references.create(assetId, strong()))).toBe('asset_binned')
  })

  test('of a batch is made with all the others, or not at all', () => {
    const { references, holders, addAsset } = openLifecycle()
    const [a, b] = [addAsset(), addAsset()]
    const wanted = [a, b, a].map((assetId, index) => ({ assetId, ...strong({ externalId: String(index) }) }))
    expect(codeOf(() => references.createBatch([...wanted, { assetId: newId(), ...strong() }]))).toBe('asset_not_found')
    expect(holders.findLife(a)?.refCount).toBe(0)
    const { createdCount, referenceIds } = references.createBatch([...wanted, wanted[0]!])
    expect([createdCount, referenceIds.length, new Set(referenceIds).size]).toEqual([3, 4, 3])
    expect(holders.findLife(a)?.refCount).toBe(2)
    expect(references.deleteMany([...referenceIds, newId()])).toBe(3)
    expect(holders.findLife(a)?.refCount).toBe(0)
  })
})

describe('deleting an asset', () => {
  test('that several hold removes only the reference of the caller', () => {
    const { references, bin, addAsset, uploads } = openLifecycle()
    const assetId = addAsset()
    const ann = references.create(assetId, strong({ owner: 'ann' })).reference
    references.create(assetId, strong({ owner: 'bob' }))
    references.create(assetId, strong({ owner: 'bob', externalId: '1' }))
    const remove = (caller: Parameters<typeof bin.delete>[1]['caller'], guard = false) =>
      bin.delete(assetId, { guard, caller })
    const holder = (owner: string, externalId: string | null = null) => ({ namespace: 'posts', owner, externalId })
    expect(codeOf(() => remove(null))).toBe('asset_in_use')
    expect(codeOf(() => remove({ referenceId: ann.id }, true))).toBe('asset_in_use')
    expect(codeOf(() => remove(holder('bob')))).toBe('asset_in_use')
    expect(codeOf(() => remove(holder('eve')))).toBe('reference_not_found')
    expect(codeOf(() => remove({ referenceId: newId() }))).toBe('reference_not_found')
    expect(remove({ referenceId: ann.id })).toMatchObject({ outcome: 'reference_removed', life: { refCount: 2 } })
    expect(remove(holder('bob', '1'))).toMatchObject({ outcome: 'reference_removed', life: { refCount: 1 } })
    expect(codeOf(() => remove(holder('eve')))).toBe('reference_not_found')
    expect(uploads).toEqual([])
    expect(remove(holder('bob'))).toMatchObject({ outcome: 'binned', life: { refCount: 1 } })
    expect(remove(null)).toMatchObject({ outcome: 'binned' })
    expect(uploads).toEqual([`forget ${assetId}`])
  })

  test('that several hold moves it to the bin by force, and its holders have it when it comes back', () => {
    const { references, bin, holders, addAsset } = openLifecycle()
    const assetId = addAsset()
    for (const owner of ['ann', 'bob']) references.create(assetId, strong({ owner }))
    expect(codeOf(() => bin.delete(assetId, { guard: true, caller: null }))).toBe('asset_in_use')
    const forced = bin.delete(assetId, { guard: false, force: true, caller: null })
    expect(forced).toMatchObject({ outcome: 'binned', life: { refCount: 2 } })
    bin.restore(assetId)
    expect(holders.findLife(assetId)).toMatchObject({ refCount: 2, binnedAtMs: null })
  })

  test('and bringing it back gives it the reference it had', () => {
    const { references, bin, holders, clock, addAsset, uploads } = openLifecycle()
    const assetId = addAsset()
    expect(codeOf(() => bin.restore(assetId))).toBe('asset_not_binned')
    const { reference } = references.create(assetId, strong())
    bin.delete(assetId, { guard: true, caller: null })
    bin.restore(assetId)
    expect(holders.findLife(assetId)).toEqual({
      refCount: 1,
      pendingSinceMs: null,
      archivedAtMs: null,
      binnedAtMs: null
    })
    expect(uploads).toEqual([`forget ${assetId}`, `remember ${assetId}`])
    bin.delete(assetId, { guard: true, caller: null })
    references.delete(reference.id)
    clock.advanceMs(5000)
    bin.restore(assetId)
    expect(holders.findLife(assetId)).toEqual({
      refCount: 0,
      pendingSinceMs: clock.nowMs(),
      archivedAtMs: null,
      binnedAtMs: null
    })
  })
})

test('whatever is done in whatever order, count and state follow from the rows', () => {
  const { db, references, bin, clock, addAsset } = openLifecycle()
  const assets = [addAsset(), addAsset()]
  const pick = fc.nat({ max: 1 })
  const holder = fc.record({ owner: fc.constantFrom('ann', 'bob'), externalId: fc.constantFrom('1', '2') })
  const step = fc.oneof(
    fc.record({
      do: fc.constant('create' as const),
      of: pick,
      kind: fc.constantFrom('strong', 'weak', 'temporary'),
      holder
    }),
    fc.record({ do: fc.constant('remove' as const), index: fc.nat({ max: 9 }) }),
    fc.record({ do: fc.constant('removeOfHolder' as const), holder }),
    fc.record({ do: fc.constant('delete' as const), of: pick, guard: fc.boolean(), holder: fc.option(holder) }),
    fc.record({ do: fc.constant('restore' as const), of: pick }),
    fc.record({ do: fc.constant('expire' as const), of: pick })
  )
  const run = (action: typeof step extends fc.Arbitrary<infer T> ? T : never): void => {
    clock.advanceMs(10_000)
    if (action.do === 'create') {
      const expiry = action.kind === 'temporary' ? { expiresInSeconds: 30 } : {}
      references.create(assets[action.of]!, strong({ kind: action.kind, ...action.holder, ...expiry }))
    } else if (action.do === 'remove') {
      const row = db.prepare<unknown[], { id: string }>('SELECT id FROM reference ORDER BY id LIMIT 1 OFFSET ?')
      references.delete(row.get(action.index)?.id ?? newId())
    } else if (action.do === 'removeOfHolder')
      references.deleteOfHolder({ namespace: 'posts', ...action.holder }, 'all', 2)
    else if (action.do === 'delete')
      bin.delete(assets[action.of]!, {
        guard: action.guard,
        caller: action.holder && { namespace: 'posts', ...action.holder }
      })
    else if (action.do === 'restore') bin.restore(assets[action.of]!)
    else references.deleteExpired(10)
  }
  const wrong = db.prepare(
    `SELECT id FROM (
       SELECT id, state, ref_count, pending_since_ms, binned_at_ms,
              (SELECT count(*) FROM reference WHERE asset_id = asset.id AND kind = 'strong') AS held
       FROM asset)
     WHERE ref_count <> held OR (pending_since_ms IS NULL) <> (held > 0)
        OR state <> CASE WHEN binned_at_ms IS NOT NULL THEN 'binned' WHEN held > 0 THEN 'active' ELSE 'pending_reference' END`
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      for (const action of steps) {
        codeOf(() => run(action))
        expect(wrong.all()).toEqual([])
      }
    }),
    { numRuns: 100 }
  )
})

describe('over HTTP', () => {
  /** The id of an asset in the catalogue of a running daemon. */
  async function startWithAsset() {
    const base = await startTestDaemon()
    const db = openDatabase(join(base.dataDir, 'flightcase.db'), migrations)
    const assetId = insertAsset(db, Date.now())
    db.close()
    return { api: base.api, assetId, params: { assetId } }
  }
  const refused = (code: string, status: number) => ({ status, problem: { code } })

  test('references are made, listed in pages, found by their holder, and removed', async () => {
    const { api, assetId, params } = await startWithAsset()
    const one = await api.call(createReference, { params, body: { namespace: 'posts', owner: 'ann' } })
    expect(one).toMatchObject({ isNew: true, refCount: 1, reference: { kind: 'strong', expiresAt: null } })
    const batch = ['1', '2', '3'].map((externalId) => ({ assetId, namespace: 'posts', owner: 'bob', externalId }))
    const { referenceIds } = await api.call(createReferences, { body: { references: batch } })
    const first = await api.call(listReferences, { params, query: { limit: 3 } })
    const second = await api.call(listReferences, { params, query: { limit: 3, cursor: first.nextCursor! } })
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual([one.reference.id, ...referenceIds].sort())
    expect(second.nextCursor).toBeNull()
    const found = await api.call(findReferences, { query: { namespace: 'posts', owner: 'bob', externalId: '2' } })
    expect(found.items).toMatchObject([{ id: referenceIds[1], assetId }])
    expect(await api.call(deleteReferences, { body: { namespace: 'posts', owner: 'bob' } })).toEqual({
      deletedCount: 3,
      isMore: false
    })
    expect(await api.call(deleteReferences, { body: { referenceIds } })).toMatchObject({ deletedCount: 0 })
    expect(await api.call(getAsset, { params })).toMatchObject({ refCount: 1, referenceTotal: 1, state: 'active' })
    expect(await api.call(deleteReference, { params: { referenceId: one.reference.id } })).toEqual({
      assetId,
      refCount: 0,
      state: 'pending_reference'
    })
    expect(await api.call(deleteAsset, { params, query: {} })).toEqual({
      outcome: 'binned',
      refCount: 0
    })
    await expect(api.call(createReference, { params, body: { namespace: 'posts' } })).rejects.toMatchObject(
      refused('asset_binned', 409)
    )
  })

  test.each([
    ['a temporary one without an end', { namespace: 'posts', kind: 'temporary' }],
    ['an end for a strong one', { namespace: 'posts', expiresInSeconds: 5 }],
    ['no namespace', { owner: 'ann' }],
    ['an unknown member', { namespace: 'posts', colour: 'red' }]
  ])('%s is refused', async (_, body) => {
    const { api, params } = await startWithAsset()
    await expect(api.call(createReference, { params, body: body as never })).rejects.toMatchObject(
      refused('invalid_request', 400)
    )
    expect(await api.call(listReferences, { params })).toMatchObject({ items: [] })
  })

  test('nobody refers to what is not there', async () => {
    const { api } = await startWithAsset()
    const nowhere = { params: { assetId: newId() } }
    const notFound = refused('asset_not_found', 404)
    await expect(api.call(listReferences, nowhere)).rejects.toMatchObject(notFound)
    await expect(api.call(createReference, { ...nowhere, body: { namespace: 'a' } })).rejects.toMatchObject(notFound)
    await expect(api.call(deleteReference, { params: { referenceId: newId() } })).rejects.toMatchObject(
      refused('reference_not_found', 404)
    )
  })
})
