import type { Migration } from '../migrate.ts'

/** Answers to requests that may be repeated. */
export const idempotency: Migration = {
  version: 151,
  name: 'idempotency',
  up(db) {
    db.exec(`
      CREATE TABLE idempotency (
        -- An actor's id, and the operation's name in the contract.
        caller TEXT NOT NULL,
        operation TEXT NOT NULL,
        key TEXT NOT NULL,
        -- SHA-256 of the request.
        fingerprint BLOB NOT NULL,
        -- withheld: done, with an answer that held a secret.
        state TEXT NOT NULL CHECK (state IN ('running', 'done', 'withheld')),
        -- The answer as JSON; null for an empty one.
        answer_json TEXT,
        expires_at_ms INTEGER NOT NULL,
        PRIMARY KEY (caller, operation, key)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX idempotency_by_expiry ON idempotency (expires_at_ms);
    `)
  }
}
