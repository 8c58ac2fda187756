import { closeSync, existsSync, fsyncSync, openSync, readSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type Sqlite from 'better-sqlite3'
import { messageOf, StartupError } from '../errors.ts'

const COMPARED_AT_ONCE_BYTES = 1024 * 1024

/**
 * Puts a whole, durable copy of `db` beside it, named `<filePath>.v<version>` (then `-2`, `-3`, …: a copy that exists is never
 * touched). When the newest one has the same content already, that is enough. Call it outside transactions and with the
 * file to yourself. Throws `StartupError('backup_failed')`.
 */
export function backUp(db: Sqlite.Database, filePath: string, version: number): void {
  const unfinished = `${filePath}.backup.tmp`
  try {
    discard(unfinished)
    try {
      copyInto(unfinished, db, filePath)
      const { newest, next } = namesOf(`${filePath}.v${version}`)
      if (newest !== null && haveSameBytes(newest, unfinished)) return
      syncPath(unfinished, 'r+')
      renameSync(unfinished, next)
      // Windows cannot sync a directory.
      if (process.platform !== 'win32') syncPath(dirname(filePath), 'r')
    } finally {
      discard(unfinished)
    }
  } catch (cause) {
    throw new StartupError(
      'backup_failed',
      `${filePath} comes from an older Flightcase, and the copy that is kept before it is changed cannot be made: ` +
        `${messageOf(cause)}. Nothing was changed.`,
      { cause }
    )
  }
}

function discard(path: string): void {
  for (const leftover of [path, `${path}-journal`]) rmSync(leftover, { force: true })
}

/** The new file is as private as the copied one: SQLite fills a file that is there and empty. */
function copyInto(path: string, db: Sqlite.Database, filePath: string): void {
  closeSync(openSync(path, 'wx', statSync(filePath).mode & 0o777))
  db.prepare('VACUUM INTO ?').run(path)
}

/** The youngest copy there is, and the name of the one after it. */
function namesOf(first: string): { newest: string | null; next: string } {
  let newest: string | null = null
  let next = first
  for (let count = 2; existsSync(next); count++) {
    newest = next
    next = `${first}-${count}`
  }
  return { newest, next }
}

function haveSameBytes(pathA: string, pathB: string): boolean {
  if (statSync(pathA).size !== statSync(pathB).size) return false
  const a = openSync(pathA, 'r')
  const b = openSync(pathB, 'r')
  try {
    const fromA = Buffer.allocUnsafe(COMPARED_AT_ONCE_BYTES)
    const fromB = Buffer.allocUnsafe(COMPARED_AT_ONCE_BYTES)
    for (;;) {
      const length = readSync(a, fromA)
      if (readSync(b, fromB) !== length || fromA.compare(fromB, 0, length, 0, length) !== 0) return false
      if (length === 0) return true
    }
  } finally {
    closeSync(a)
    closeSync(b)
  }
}

function syncPath(path: string, flags: string): void {
  const file = openSync(path, flags)
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
