import { setImmediate as pause } from 'node:timers/promises'
import type { Database } from '../../db/database.ts'

/** Pages written at once; nobody waits longer than for these. */
const PAGES_AT_ONCE = 32

/**
 * Merges what came to the index of names piece by piece, and drops what is gone: inserting does that rarely, and then only for
 * what is as young. `signal` ends it early.
 */
export async function tidyNames(db: Database, signal: AbortSignal): Promise<void> {
  const merge = db.prepare(`INSERT INTO asset_name (asset_name, rank) VALUES ('merge', ${PAGES_AT_ONCE})`)
  const changes = db.prepare<unknown[], number>('SELECT total_changes()').pluck()
  while (!signal.aborted) {
    const before = changes.get()!
    db.relaxedTransaction(() => merge.run())
    // The command itself counts as one (SQLite FTS5 §6.8).
    if (changes.get()! - before < 2) return
    await pause()
  }
}
