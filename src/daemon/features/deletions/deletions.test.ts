import { describe, expect, test, vi } from 'vitest'
import { getAsset } from '../../../shared/api/assets.ts'
import {
  cancelDeletion,
  inboundEventSchema,
  listDeletions,
  MAX_EVENT_MEDIA,
  takeEvent
} from '../../../shared/api/deletions.ts'
import { createReference, listReferences } from '../../../shared/api/references.ts'
import { uploadMedia } from '../../../shared/api/uploads.ts'
import { AuditLog } from '../../audit/audit-log.ts'
import { Outbox } from '../../events/outbox.ts'
import { JobQueue } from '../../jobs/job-queue.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { startTestDaemon, type TestDaemon } from '../../testing/test-daemon.ts'
import { testDatabase } from '../../testing/test-database.ts'
import { BinService } from '../lifecycle/bin.service.ts'
import { insertAsset } from '../lifecycle/catalogue-rows.ts'
import { stateOf } from '../lifecycle/lifecycle.ts'
import { ReferencesRepository } from '../lifecycle/references.repository.ts'
import { ReferencesService } from '../lifecycle/references.service.ts'
import { DeletionsRepository } from './deletions.repository.ts'
import { DeletionsService } from './deletions.service.ts'

const HOUR_MS = 3_600_000

function openDeletions() {
  const db = testDatabase()
  const clock = new ManualClock()
  const outbox = new Outbox({ db, clock })
  const queue = new JobQueue({ db, clock, outbox })
  const holders = new ReferencesRepository(db)
  const common = { db, clock, outbox, audit: new AuditLog({ db, clock }), holders, reviewPlace: () => {} }
  const references = new ReferencesService(common)
  const bin = new BinService({ ...common, references, forgetUploads: () => {}, rememberUploads: () => {} })
  const repository = new DeletionsRepository(db)
  const service = new DeletionsService({
    ...{ db, clock, queue, repository },
    config: { delayMs: HOUR_MS, namespace: 'drop' },
    letGo: (assetId, holder) => bin.letGo(assetId, holder)
  })
  const addAsset = () => insertAsset(db, clock.nowMs())
  const hold = (assetId: string, externalId: string, kind: 'strong' | 'temporary' = 'strong', namespace = 'drop') =>
    references.create(assetId, {
      ...{ namespace, externalId, kind },
      ...(kind === 'temporary' ? { expiresInSeconds: 10 * 3600 } : {})
    })
  const tell = (event: object) => service.accept(inboundEventSchema.parse({ type: 'drop_deleted', ...event }))
  const run = (signal = new AbortController().signal) => service.run(signal)
  const lapse = () => {
    clock.advanceMs(HOUR_MS)
    return run()
  }
  const outcomes = () => repository.list({ limit: 100 }).map(({ state, outcome }) => outcome ?? state)
  const stateOfAsset = (assetId: string) => stateOf(holders.findLife(assetId)!)
  return {
    db,
    clock,
    queue,
    references,
    holders,
    service,
    repository,
    addAsset,
    hold,
    tell,
    run,
    lapse,
    outcomes,
    stateOfAsset
  }
}

describe('an event that a drop was deleted', () => {
  test('lets go of its media when the delay is over, and not before', async () => {
    const { clock, queue, addAsset, hold, tell, run, outcomes, stateOfAsset } = openDeletions()
    const assetId = addAsset()
    hold(assetId, '7')
    expect(tell({ media_ids: [assetId, assetId], drop_id: 7 })).toEqual({
      isNew: true,
      plannedCount: 1,
      cancelledCount: 0
    })
    // The queue has one job for any number of deletions; it waits for the first.
    expect(queue.list({ limit: 10 }).items).toMatchObject([{ name: 'deletions.run', state: 'queued' }])
    expect(queue.nextDueMs()).toBe(clock.nowMs() + HOUR_MS)
    clock.advanceMs(HOUR_MS - 1)
    await run()
    expect([outcomes(), stateOfAsset(assetId)]).toEqual([['waiting'], 'active'])
    clock.advanceMs(1)
    await run()
    expect([outcomes(), stateOfAsset(assetId)]).toEqual([['binned'], 'binned'])
  })

  test('takes only the references of that drop away while others hold the medium', async () => {
    const { addAsset, hold, tell, lapse, outcomes, stateOfAsset, references } = openDeletions()
    const assetId = addAsset()
    for (const drop of ['7', '8']) hold(assetId, drop)
    hold(assetId, '7', 'temporary')
    tell({ media_ids: [assetId], drop_id: '7' })
    await lapse()
    expect(outcomes()).toEqual(['released'])
    expect(references.listFirst(assetId)).toMatchObject([{ externalId: '8' }])
    tell({ media_ids: [assetId], drop_id: '7' })
    await lapse()
    expect(outcomes()[0]).toBe('kept')
    expect(stateOfAsset(assetId)).toBe('active')
  })

  test('leaves what somebody else holds for a while', async () => {
    const { addAsset, hold, tell, lapse, outcomes, stateOfAsset } = openDeletions()
    const assetId = addAsset()
    hold(assetId, '7')
    hold(assetId, '9', 'temporary', 'preview')
    tell({ media_ids: [assetId], drop_id: '7' })
    await lapse()
    expect([outcomes(), stateOfAsset(assetId)]).toEqual([['released'], 'pending_reference'])
  })

  test.each([
    [0, 'binned'],
    [1, 'binned'],
    [2, 'kept']
  ])('that names no holder deletes as a person does: held %i times it is %s', async (count, outcome) => {
    const { addAsset, hold, tell, lapse, outcomes } = openDeletions()
    const assetId = addAsset()
    for (let drop = 0; drop < count; drop++) hold(assetId, String(drop), 'strong', 'posts')
    tell({ media_ids: [assetId] })
    await lapse()
    expect(outcomes()).toEqual([outcome])
  })

  test('says what it found where there is nothing to delete', async () => {
    const { addAsset, tell, lapse, outcomes } = openDeletions()
    const assetId = addAsset()
    tell({ media_ids: [assetId] })
    await lapse()
    tell({ media_ids: [assetId, 'unknown'] })
    await lapse()
    expect(outcomes().toSorted()).toEqual(['already_binned', 'binned', 'missing'])
  })

  test('counts once: by its id, or while the same waits', async () => {
    const { addAsset, tell, lapse, outcomes } = openDeletions()
    const assetId = addAsset()
    const event = { id: 'e1', media_ids: [assetId] }
    expect(tell(event)).toMatchObject({ isNew: true, plannedCount: 1 })
    expect(tell(event)).toEqual({ isNew: false, plannedCount: 0, cancelledCount: 0 })
    expect(tell({ media_ids: [assetId] })).toMatchObject({ isNew: true, plannedCount: 0 })
    await lapse()
    expect(tell(event)).toMatchObject({ isNew: false })
    expect(outcomes()).toEqual(['binned'])
  })

  test('in a CloudEvents envelope is known by its source and id', () => {
    const { repository, tell } = openDeletions()
    const event = {
      specversion: '1.0',
      type: 'avion.drop_deleted',
      data: { media_ids: ['a'], drop_id: 'd', owner: 'o' }
    }
    expect(tell({ ...event, id: '1', source: 'a' })).toMatchObject({ isNew: true, plannedCount: 1 })
    expect(tell({ ...event, id: '1', source: 'a' })).toMatchObject({ isNew: false })
    expect(tell({ ...event, id: '1', source: 'b' })).toMatchObject({ isNew: true, plannedCount: 0 })
    expect(repository.list({ limit: 10 })).toMatchObject([
      { mediaId: 'a', eventId: 'a 1', holder: { namespace: 'drop', owner: 'o', externalId: 'd' } }
    ])
  })

  test('is taken back by the event that the drop was restored, or by a person', async () => {
    const { clock, service, repository, addAsset, hold, tell, lapse, outcomes, stateOfAsset } = openDeletions()
    const assetId = addAsset()
    hold(assetId, '7')
    for (const drop_id of ['7', '8', '9']) {
      clock.advanceMs(1)
      tell({ media_ids: [assetId], drop_id })
    }
    expect(tell({ type: 'drop_restored', media_ids: [assetId], drop_id: '7' })).toMatchObject({ cancelledCount: 1 })
    const [ninth] = repository.list({ limit: 1 })
    expect(service.cancel(ninth!.id)).toMatchObject({ state: 'cancelled', holder: { externalId: '9' } })
    expect(() => service.cancel(ninth!.id)).toThrow('deletion_not_waiting')
    await lapse()
    expect(outcomes()).toEqual(['cancelled', 'kept', 'cancelled'])
    expect(stateOfAsset(assetId)).toBe('active')
    // The same again is a new wish.
    expect(tell({ media_ids: [assetId], drop_id: '7' })).toMatchObject({ plannedCount: 1 })
  })

  test('is carried out as far as it got: what a stop leaves waits for the next start', async () => {
    const { clock, queue, addAsset, tell, run, outcomes } = openDeletions()
    tell({ media_ids: [addAsset(), addAsset()] })
    clock.advanceMs(HOUR_MS)
    await expect(run(AbortSignal.abort())).rejects.toThrow()
    expect(outcomes()).toEqual(['waiting', 'waiting'])
    expect(queue.hasDue()).toBe(true)
    await run()
    expect(outcomes()).toEqual(['binned', 'binned'])
  })

  test('is forgotten a month later', async () => {
    const { db, clock, service, addAsset, tell, lapse, outcomes } = openDeletions()
    tell({ id: 'e1', media_ids: [addAsset()] })
    await lapse()
    clock.advanceMs(31 * 24 * HOUR_MS)
    tell({ id: 'e2', media_ids: [addAsset()] })
    await service.forget(new AbortController().signal)
    expect(outcomes()).toEqual(['waiting'])
    expect(db.prepare('SELECT id FROM inbound_event').pluck().all()).toEqual(['e2'])
  })
})

describe('over HTTP', () => {
  async function upload(base: TestDaemon): Promise<string> {
    const body = new FormData()
    body.append('file', new Blob(['a drop']), 'a.txt')
    const answer = await base.fetch(uploadMedia.path, { method: 'POST', body })
    return uploadMedia.response.parse(await answer.json()).asset.id
  }

  test('events are taken, listed in pages, cancelled and carried out', async () => {
    const base = await startTestDaemon({ env: { FLIGHTCASE_DELETION_DELAY_HOURS: '0' } })
    const assetId = await upload(base)
    await base.api.call(createReference, { params: { assetId }, body: { namespace: 'drop', externalId: '7' } })
    const event = { type: 'drop_deleted', id: 'e1', media_ids: [assetId], drop_id: '7', deleted_by: 'somebody' }
    expect(await base.api.call(takeEvent, { body: event })).toMatchObject({ isNew: true, plannedCount: 1 })
    await vi.waitFor(async () => {
      expect(await base.api.call(getAsset, { params: { assetId } })).toMatchObject({ state: 'binned' })
    })
    expect((await base.api.call(listReferences, { params: { assetId } })).items).toHaveLength(1)
    const { items } = await base.api.call(listDeletions, { query: { mediaId: assetId, state: 'done' } })
    expect(items).toMatchObject([{ eventId: 'e1', outcome: 'binned' }])
    const cancel = base.api.call(cancelDeletion, { params: { deletionId: items[0]!.id } })
    await expect(cancel).rejects.toMatchObject({ status: 409, problem: { code: 'deletion_not_waiting' } })
    const unknown = base.api.call(cancelDeletion, { params: { deletionId: assetId } })
    await expect(unknown).rejects.toMatchObject({ status: 404, problem: { code: 'deletion_not_found' } })
  })

  test('an envelope may come under the type of its own', async () => {
    const base = await startTestDaemon()
    const event = { specversion: '1.0', id: 'e1', source: 'a', type: 'drop_deleted', data: { media_ids: ['a'] } }
    const answer = await base.fetch(takeEvent.path, {
      method: 'POST',
      body: JSON.stringify(event),
      headers: { 'content-type': 'application/cloudevents+json; charset=utf-8' }
    })
    expect(await answer.json()).toMatchObject({ isNew: true, plannedCount: 1 })
  })

  test('the list goes on where it ended', async () => {
    const base = await startTestDaemon()
    const media_ids = ['a', 'b', 'c']
    await base.api.call(takeEvent, { body: { type: 'drop_deleted', media_ids } })
    const listed: string[] = []
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = await base.api.call(listDeletions, { query: { limit: 2, ...(cursor && { cursor }) } })
      listed.push(...page.items.map(({ mediaId }) => mediaId))
      cursor = page.nextCursor
    }
    expect(listed.toSorted()).toEqual(media_ids)
  })

  test.each<[string, object]>([
    ['another type', { type: 'drop_created', media_ids: ['a'] }],
    ['no media', { type: 'drop_deleted', media_ids: [] }],
    ['too many media', { type: 'drop_deleted', media_ids: Array.from({ length: MAX_EVENT_MEDIA + 1 }, String) }],
    ['an envelope without an id', { specversion: '1.0', source: 'a', type: 'drop_deleted', data: { media_ids: ['a'] } }]
  ])('%s is refused', async (_, event) => {
    const base = await startTestDaemon()
    const body = JSON.stringify(event)
    const answer = await base.fetch(takeEvent.path, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' }
    })
    expect([answer.status, await answer.json()]).toMatchObject([400, { code: 'invalid_request' }])
    expect((await base.api.call(listDeletions, { query: {} })).items).toEqual([])
  })
})
