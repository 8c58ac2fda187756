import type { Migration } from '../migrate.ts'

/** Finds the next due job without reading the whole queue. */
export const jobByDue: Migration = {
  version: 20,
  name: 'job by due time',
  up(db) {
    db.exec(`CREATE INDEX job_by_due ON job (run_at_ms) WHERE state = 'queued'`)
  }
}
