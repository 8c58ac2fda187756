import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'

const BLOB_ID = /^[0-9a-z]{26}$/

/**
 * Holds the index of an embedded store against its files, with nothing of the engine's own code, and gives what does not
 * agree. For a store that has just started, has done its first check, and is left alone meanwhile; its clock must be so
 * far ahead that no leftover file is too young to be removed.
 */
export function auditStore(directory: string): string[] {
  const db = new Sqlite(join(directory, 'index.db'), { readonly: true })
  try {
    return [...indexProblems(db), ...fileProblems(db, directory)]
  } finally {
    db.close()
  }
}

function indexProblems(db: Sqlite.Database): string[] {
  const problems: string[] = []
  const integrity = db.pragma('integrity_check', { simple: true })
  if (integrity !== 'ok') problems.push(`the index is corrupt: ${integrity}`)
  for (const violation of db.pragma('foreign_key_check') as unknown[])
    problems.push(`a row points nowhere: ${JSON.stringify(violation)}`)
  const complain = (what: string, sql: string) => {
    for (const row of db.prepare(sql).all()) problems.push(`${what}: ${JSON.stringify(row)}`)
  }
  complain(
    'a blob counts other references than it has',
    `SELECT id, refcount, extents, parts FROM (
       SELECT id, refcount, (SELECT count(*) FROM extent WHERE blob_id = blob.id) AS extents,
         (SELECT count(*) FROM part WHERE blob_id = blob.id) AS parts FROM blob
     ) WHERE refcount <> extents + parts`
  )
  complain(
    'a blob that nothing points at will never be removed',
    `SELECT id FROM blob WHERE refcount = 0 AND id NOT IN (SELECT blob_id FROM gc)`
  )
  complain('a blob is taken for damaged', `SELECT id, size_bytes FROM blob WHERE state <> 'ok'`)
  complain(
    'the extents of an object are not its size',
    `SELECT key, size_bytes, sum(length_bytes) AS extents FROM object LEFT JOIN extent ON object_rev = rev
     GROUP BY rev HAVING coalesce(extents, 0) <> size_bytes`
  )
  return problems
}

function fileProblems(db: Sqlite.Database, directory: string): string[] {
  const problems: string[] = []
  const files = filesBelow(join(directory, 'blobs'))
  const blobs = db.prepare<[], { id: string; sizeBytes: number }>('SELECT id, size_bytes AS sizeBytes FROM blob').all()
  for (const { id, sizeBytes } of blobs) {
    const found = files.get(id)
    if (found !== sizeBytes) problems.push(`blob ${id} of ${sizeBytes} bytes has ${found ?? 'no'} bytes on disk`)
    files.delete(id)
  }
  for (const name of files.keys()) if (BLOB_ID.test(name)) problems.push(`the payload file ${name} has no row`)
  for (const name of filesBelow(join(directory, 'staging')).keys()) problems.push(`staging still holds ${name}`)
  return problems
}

/** Sizes in bytes of all files below a folder, by name. */
function filesBelow(directory: string): Map<string, number> {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return new Map(entries.map(({ name, parentPath }) => [name, statSync(join(parentPath, name)).size]))
}
