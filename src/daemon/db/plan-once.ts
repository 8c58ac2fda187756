import type Sqlite from 'better-sqlite3'

/**
 * Lets statements of `db` that are prepared from now on be planned once. SQLite (from 3.47, built with STAT4) plans anew at every run
 * what compares a parameter by `=` in a join or takes one as LIMIT, since the plan could depend on the value; with many indexes
 * that takes ten times as long as the query. A sign changes no value and hides the parameter from the planner.
 */
export function planOnce(db: Sqlite.Database): void {
  const prepare = db.prepare.bind(db)
  db.prepare = (source: string) => prepare(source.replaceAll(/(=|\bLIMIT)\s*(?=[?@])/gi, '$1 +'))
}
