import { scopeCondition, type WorkspaceScope } from '../../workspace-scope.ts'
import type { AssetQuery } from './asset-search.ts'

/** A condition of SQL with what its marks stand for. */
export interface SqlPart {
  sql: string
  values: unknown[]
}

/** What a list can be narrowed by, named as in its query. */
export type FilterName =
  | 'deviceId'
  | 'flightId'
  | 'day'
  | 'kind'
  | 'mimeType'
  | 'sha256'
  | 'source'
  | 'state'
  | 'moderation'
  | 'damaged'
  | 'tag'
  | 'namespace'
  | 'text'
  | 'bbox'
  | 'workspace'

/** For each filter of the query, and the caller's scope, what it demands of a row of `asset`. */
export function filtersOf(query: AssetQuery, scope: WorkspaceScope): Map<FilterName, SqlPart> {
  const filters = new Map<FilterName, SqlPart>()
  if (scope !== 'all') filters.set('workspace', scopeCondition(scope, 'asset.workspace_id'))
  const add = (name: Exclude<FilterName, 'workspace'>, sql: string, ...values: unknown[]): void => {
    if (query[name] !== undefined) filters.set(name, { sql, values })
  }
  add('deviceId', 'asset.device_id = ?', query.deviceId)
  add('flightId', 'asset.flight_id = ?', query.flightId)
  add('day', 'asset.taken_day = ?', query.day)
  add('kind', 'asset.kind = ?', query.kind)
  add('mimeType', 'asset.mime_type = ?', query.mimeType)
  add(
    'sha256',
    'asset.blob_id = (SELECT id FROM blob WHERE sha256 = ?)',
    query.sha256 && Buffer.from(query.sha256, 'hex')
  )
  add('source', 'asset.source = ?', query.source)
  add('state', 'asset.state = ?', query.state)
  add('moderation', 'asset.moderation = ?', query.moderation)
  add('damaged', query.damaged === true ? 'asset.damage IS NOT NULL' : 'asset.damage IS NULL')
  add('tag', 'EXISTS (SELECT 1 FROM asset_tag WHERE asset_id = asset.id AND tag = ?)', query.tag)
  const ofOwner = query.owner === undefined ? '' : "AND coalesce(owner, '') = ?"
  add(
    'namespace',
    `EXISTS (SELECT 1 FROM reference INDEXED BY reference_by_holder WHERE asset_id = asset.id
             AND kind IN ('strong', 'weak', 'temporary') AND namespace = ? ${ofOwner})`,
    query.namespace,
    ...(query.owner === undefined ? [] : [query.owner])
  )
  const words = wordsOf(query.text)
  add('text', words.map(() => `asset.name LIKE ? ESCAPE '\\'`).join(' AND ') || '1', ...words.map(containing))
  if (query.bbox) {
    const { west, south, east, north } = query.bbox
    // West of the date line to east of it (RFC 7946 §5.2).
    const between = west <= east ? 'AND' : 'OR'
    add(
      'bbox',
      `asset.latitude BETWEEN ? AND ? AND (asset.longitude >= ? ${between} asset.longitude <= ?)`,
      south,
      north,
      west,
      east
    )
  }
  return filters
}

/** The words that a name must contain, each somewhere. */
export function wordsOf(text: string | undefined): string[] {
  return text?.split(/\s+/u).filter((word) => word !== '') ?? []
}

function containing(word: string): string {
  return `%${word.replace(/[\\%_]/g, '\\$&')}%`
}
