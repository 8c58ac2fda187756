import type Sqlite from 'better-sqlite3'
import type { StoreContent } from './world.ts'

/** Throws unless the catalogue agrees with itself, the store holds what it names and nothing else, and only `left` is there. */
export function assertTidy(catalogue: Sqlite.Database, store: StoreContent, left: Set<string>): void {
  const select = (sql: string) =>
    catalogue
      .prepare<unknown[], { id: string }>(sql)
      .all()
      .map(({ id }) => id)
  const assets = new Set(select('SELECT id FROM asset'))
  assertNone('assets are lost', missing(left, assets))
  assertNone('assets stay', missing(assets, left))
  assertNone(
    'assets have a wrong count',
    select(
      `SELECT id FROM asset WHERE ref_count <>
         (SELECT count(*) FROM reference WHERE asset_id = asset.id AND kind = 'strong')`
    )
  )
  assertNone('bytes belong to nothing', select('SELECT id FROM blob WHERE id NOT IN (SELECT blob_id FROM asset)'))
  assertNone('uploads stay', select('SELECT id FROM upload'))
  assertNone('jobs were given up', select(`SELECT name AS id FROM job WHERE state = 'dead'`))
  const needed = new Set(
    select(
      'SELECT key AS id FROM blob UNION SELECT key FROM rendition UNION SELECT key FROM remote_media WHERE key IS NOT NULL'
    )
  )
  assertNone('objects are lost', missing(needed, store.keys))
  assertNone('objects leaked', missing(store.keys, needed))
  if (store.forgottenUploadTotal > 0) throw new Error(`${store.forgottenUploadTotal} uploads to the store stay`)
  assertTold(catalogue, left)
}

const LETTERS: Record<string, string> = {
  'asset.arrived': 'a',
  'asset.binned': 'b',
  'asset.restored': 'r',
  'asset.purged': 'p'
}

/** Everything that happened was told once, in its order; what must be written down is, and nothing that did not happen. */
function assertTold(catalogue: Sqlite.Database, left: Set<string>): void {
  const stories = (sql: string) => {
    const told = new Map<string, string>()
    for (const { subject, type } of catalogue.prepare<unknown[], { subject: string; type: string }>(sql).all())
      if (type in LETTERS) told.set(subject, (told.get(subject) ?? '') + LETTERS[type])
    return told
  }
  const told = stories('SELECT subject, type FROM event ORDER BY seq')
  const written = stories('SELECT subject, action AS type FROM audit ORDER BY seq')
  assertNone(
    'assets were never told of',
    [...left].filter((id) => !told.has(id))
  )
  for (const [id, story] of told) {
    if (!(left.has(id) ? /^a(br)*$/ : /^a(br)*b?p$/).test(story)) throw new Error(`of ${id} was told: ${story}`)
    if (story !== `a${written.get(id) ?? ''}`) throw new Error(`of ${id} was told ${story}, written ${written.get(id)}`)
  }
  const counts = catalogue.prepare<unknown[], { id: string; told: number | null; count: number }>(
    `SELECT id, ref_count AS count, (SELECT data_json ->> 'refCount' FROM event
       WHERE subject = asset.id AND type = 'asset.references' ORDER BY seq DESC LIMIT 1) AS told FROM asset`
  )
  for (const { id, count, told } of counts.all())
    if (count !== (told ?? 0)) throw new Error(`of ${id} were told ${told} references, and it has ${count}`)
}

function missing(ids: Set<string>, from: Set<string>): string[] {
  return [...ids].filter((id) => !from.has(id))
}

function assertNone(problem: string, ids: string[]): void {
  if (ids.length > 0) throw new Error(`${problem}: ${ids.join()}`)
}
