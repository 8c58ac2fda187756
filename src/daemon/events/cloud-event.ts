import type { StoredEvent } from '../../shared/api/events.ts'
import type { Database } from '../db/database.ts'
import { newId } from '../ids.ts'

/** The content type of one event as JSON (CloudEvents JSON format §3). */
export const CLOUD_EVENT_TYPE = 'application/cloudevents+json'

/** A fact as it leaves the base (CloudEvents 1.0, structured JSON). */
export interface CloudEvent {
  specversion: '1.0'
  /** The same each time the fact is sent. */
  id: string
  /** The base it comes from. */
  source: string
  /** `flightcase.` and the type in the outbox. */
  type: string
  /** What it is about: the id of an asset, a flight, … */
  subject: string
  time: string
  datacontenttype: 'application/json'
  /** The sequence number in the outbox, in 16 digits so that it sorts as text (CloudEvents extension "Sequence"). */
  sequence: string
  data: Record<string, unknown>
}

/**
 * A stored event in its envelope. The id has the time beside the sequence number, because a base that was brought back
 * from a backup counts again from where the backup ended.
 */
export function toCloudEvent(event: StoredEvent, source: string): CloudEvent {
  return {
    specversion: '1.0',
    id: `${event.seq}-${Date.parse(event.at)}`,
    source,
    type: `flightcase.${event.type}`,
    subject: event.subject,
    time: event.at,
    datacontenttype: 'application/json',
    sequence: String(event.seq).padStart(16, '0'),
    data: event.data
  }
}

/** The name of this base in its events: `urn:flightcase:` and an id that was made once for its catalogue. */
export function eventSource(db: Database): string {
  return db.transaction(() => {
    db.prepare(`INSERT OR IGNORE INTO setting (key, value) VALUES ('base_id', ?)`).run(newId())
    const row = db.prepare<unknown[], { value: string }>(`SELECT value FROM setting WHERE key = 'base_id'`).get()
    return `urn:flightcase:${row!.value}`
  })
}
