import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished, vi } from 'vitest'
import { type Database, openDatabase } from '../db/database.ts'
import { migrations } from '../db/migrations/all.ts'

/** An empty folder that goes away with the test. */
export function temporaryFolder(name = 'test'): string {
  const folder = mkdtempSync(join(tmpdir(), `flightcase-${name}-`))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A real catalogue in a temporary folder, closed with the test. */
export function testDatabase(folder = temporaryFolder('db')): Database {
  const db = openDatabase(join(folder, 'flightcase.db'), migrations)
  onTestFinished(() => db.close())
  return db
}

/** How SQLite carries out the statements that `work` runs, a line for each step. */
export function plansOf(db: Database, work: () => unknown): string[] {
  const prepare = vi.spyOn(db, 'prepare')
  try {
    work()
    return prepare.mock.calls.flatMap(([source]) => {
      const values = Array.from(source.matchAll(/\?/g), () => null)
      const plan = db.sql.prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${source}`)
      return plan.all(...values).map(({ detail }) => detail)
    })
  } finally {
    prepare.mockRestore()
  }
}
