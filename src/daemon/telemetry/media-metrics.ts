import type { StoredEvent } from '../../shared/api/events.ts'
import type { Database } from '../db/database.ts'
import type { Outbox } from '../events/outbox.ts'
import type { ObjectRemovals } from '../removals/object-removals.ts'
import type { Telemetry } from './telemetry.ts'

const READ_AT_ONCE = 500

/** What happens to media, counted from the facts that are told to everybody, and what is there now, asked when somebody reads. */
export function observeMedia(
  { meter }: Telemetry,
  { db, outbox, removals }: { db: Database; outbox: Outbox; removals: ObjectRemovals }
): void {
  const count = (name: string, description: string) => meter.createCounter(name, { description })
  const uploads = count('media_upload_total', 'Files that became assets')
  const duplicates = count('media_deduplicated_total', 'Files whose bytes were there already')
  const references = count('media_reference_total', 'References made and removed')
  const cleanups = count('media_cleanup_total', 'Assets moved to the bin and deleted for good')

  const note = ({ type, data }: StoredEvent): void => {
    if (type === 'asset.arrived') uploads.add(1)
    if (data['isDuplicate'] === true) duplicates.add(1)
    if (type === 'asset.references') {
      references.add(Number(data['added'] ?? 0), { change: 'added' })
      references.add(Number(data['removed'] ?? 0), { change: 'removed' })
    }
    if (type === 'asset.binned') cleanups.add(1, { action: 'binned' })
    if (type === 'asset.purged') cleanups.add(1, { action: 'purged' })
  }
  let seen = outbox.range().last
  outbox.onAppend(() => {
    for (let events = outbox.readAfter(seen, READ_AT_ONCE); events.length > 0; ) {
      for (const event of events) note(event)
      seen = events.at(-1)!.seq
      events = events.length < READ_AT_ONCE ? [] : outbox.readAfter(seen, READ_AT_ONCE)
    }
  })

  const gauge = (name: string, description: string, unit: string, read: () => number) =>
    meter.createObservableGauge(name, { description, unit }).addCallback((result) => result.observe(read()))
  const number = (sql: string) => () => db.prepare<unknown[], { n: number }>(sql).get()!.n
  gauge('media_storage_used_bytes', 'Bytes of all assets', 'By', number(STORAGE_SQL))
  gauge(
    'media_unreferenced_assets',
    'Assets that nothing holds',
    '{asset}',
    number(`SELECT count(*) AS n FROM asset WHERE state = 'pending_reference'`)
  )
  gauge('media_cleanup_queue_length', 'Objects that still have to be removed', '{object}', () => removals.count())
  meter.createObservableGauge('media_jobs', { description: 'Jobs by state', unit: '{job}' }).addCallback((result) => {
    const rows = db.prepare<unknown[], { state: string; n: number }>(JOBS_SQL).all()
    for (const state of ['queued', 'running', 'dead'])
      result.observe(rows.find((row) => row.state === state)?.n ?? 0, { state })
  })
}

const STORAGE_SQL = 'SELECT coalesce(sum(used_bytes), 0) AS n FROM workspace'
const JOBS_SQL = 'SELECT state, count(*) AS n FROM job GROUP BY state'
