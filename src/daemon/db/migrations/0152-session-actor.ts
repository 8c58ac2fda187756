import type { Migration } from '../migrate.ts'

/** Whose a session is, where that is no token: a person whom an identity provider vouches for. */
export const sessionActor: Migration = {
  version: 152,
  name: 'session actor',
  up(db) {
    db.exec(`
      -- AuditActor's id; null: it follows from parent_id.
      ALTER TABLE token ADD COLUMN actor_id TEXT;
    `)
  }
}
