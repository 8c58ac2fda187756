import type Sqlite from 'better-sqlite3'
import type { Migration } from './migrate.ts'
import { openSqlite } from './open-sqlite.ts'

/** The catalogue's SQLite file: prepared statements, synchronous transactions and follow-ups after the commit. */
export interface Database {
  readonly sql: Sqlite.Database
  /** The statement for `source`, compiled once. */
  prepare<Params extends unknown[] | object = unknown[], Row = unknown>(
    source: string
  ): Sqlite.Statement<Params extends unknown[] ? Params : [Params], Row>
  /**
   * Runs `work` in one immediate transaction. Inside another one it is a part of that, which leaves nothing when it throws, even if
   * the other goes on. `work` must be synchronous.
   */
  transaction<T>(work: () => T): T
  /**
   * As `transaction`, for what may be undone by a power cut because it is then simply done again (never without everything
   * that was committed later). Spares a disk flush.
   */
  relaxedTransaction<T>(work: () => T): T
  /**
   * Runs `followUp` once the current transaction has committed (at once when there is none); never after a rollback. What it
   * throws reaches `onFollowUpError` only: to the one who committed, the work is done.
   */
  afterCommit(followUp: () => void): void
  close(): void
}

/**
 * Opens the file as {@link openSqlite} does. `onFollowUpError` is told of follow-ups that fail; without it such an error is an uncaught
 * one. Throws `StartupError` when the file comes from a newer program.
 */
export function openDatabase(
  filePath: string,
  migrations: readonly Migration[],
  onFollowUpError: (error: unknown) => void = throwLater
): Database {
  const sql = openSqlite(filePath, migrations)
  let followUps: (() => void)[] = []
  const runFollowUp = (followUp: () => void): void => {
    try {
      followUp()
    } catch (error) {
      onFollowUpError(error)
    }
  }
  const statements = new Map<string, Sqlite.Statement>()
  const prepare = (source: string): Sqlite.Statement => {
    let statement = statements.get(source)
    if (!statement) {
      statement = sql.prepare(source)
      statements.set(source, statement)
    }
    return statement
  }
  const withFollowUps = <T>(commit: () => T): T => {
    followUps = []
    const result = commit()
    const due = followUps
    followUps = []
    for (const followUp of due) runFollowUp(followUp)
    return result
  }
  const nested = <T>(work: () => T): T => {
    const before = followUps.length
    try {
      return sql.transaction(work)()
    } catch (error) {
      followUps.length = before
      throw error
    }
  }
  return {
    sql,
    prepare: prepare as Database['prepare'],
    transaction(work) {
      if (sql.inTransaction) return nested(work)
      return withFollowUps(() => sql.transaction(work).immediate())
    },
    relaxedTransaction(work) {
      if (sql.inTransaction) return nested(work)
      return withFollowUps(() => {
        sql.pragma('synchronous = NORMAL')
        try {
          return sql.transaction(work).immediate()
        } finally {
          sql.pragma('synchronous = FULL')
        }
      })
    },
    afterCommit(followUp) {
      if (sql.inTransaction) followUps.push(followUp)
      else runFollowUp(followUp)
    },
    close: () => sql.close()
  }
}

function throwLater(error: unknown): void {
  setImmediate(() => {
    throw error
  })
}
