import type { SourceProtocol } from '../../../shared/api/sources.ts'
import type { Database } from '../../db/database.ts'
import { unknownCursor } from '../../db/page.ts'
import { scopeCondition, type WorkspaceScope } from '../../workspace-scope.ts'

/** A stream and what is wanted of it. */
export interface Source {
  id: string
  workspaceId: string
  name: string
  pathName: string
  type: 'pull' | 'push'
  protocol: SourceProtocol
  /** With its password; null for `push`. */
  url: string | null
  rtspTransport: 'automatic' | 'tcp' | 'udp'
  /** SHA-256 (hex) of the certificate that the other side signed itself. */
  fingerprint: string | null
  onDemand: boolean
  enabled: boolean
  recordEnabled: boolean
  /** Null for `pull`. */
  publishKey: string | null
  createdAtMs: number
  updatedAtMs: number
}

/** What can be changed of it. */
export type SourceChanges = Partial<
  Pick<
    Source,
    | 'name'
    | 'protocol'
    | 'url'
    | 'rtspTransport'
    | 'fingerprint'
    | 'onDemand'
    | 'enabled'
    | 'recordEnabled'
    | 'publishKey'
  >
>

/** An asset that is made of a stream. */
export interface LinkedAsset {
  id: string
  name: string
  state: string
}

type SourceRow = Omit<Source, 'onDemand' | 'enabled' | 'recordEnabled'> & {
  onDemand: number
  enabled: number
  recordEnabled: number
}

const SELECT = `SELECT id, workspace_id AS workspaceId, name, path_name AS pathName, type, protocol, url,
  rtsp_transport AS rtspTransport, fingerprint, on_demand AS onDemand, enabled, record_enabled AS recordEnabled,
  publish_key AS publishKey, created_at_ms AS createdAtMs, updated_at_ms AS updatedAtMs FROM source`

export class SourcesRepository {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  find(id: string): Source | undefined {
    return this.#one(`${SELECT} WHERE id = ?`, id)
  }

  findByPath(pathName: string): Source | undefined {
    return this.#one(`${SELECT} WHERE path_name = ?`, pathName)
  }

  all(): Source[] {
    return this.#db.prepare<unknown[], SourceRow>(SELECT).all().map(sourceFrom)
  }

  /** Those that shall be recorded now. */
  listRecorded(): Source[] {
    return this.#db
      .prepare<unknown[], SourceRow>(`${SELECT} WHERE enabled = 1 AND record_enabled = 1`)
      .all()
      .map(sourceFrom)
  }

  /** By name. The cursor is an id: throws `invalid_request` where it names none. */
  list(
    query: {
      cursor?: string | undefined
      limit: number
      type?: Source['type'] | undefined
      enabled?: boolean | undefined
      workspaceId?: string | undefined
    },
    scope: WorkspaceScope
  ): Source[] {
    const inScope = scopeCondition(query.workspaceId === undefined ? scope : [query.workspaceId], 'workspace_id')
    const after = query.cursor === undefined ? undefined : this.find(query.cursor)
    if (query.cursor !== undefined && !after) throw unknownCursor()
    const conditions: [sql: string, ...values: unknown[]][] = [[inScope.sql, ...inScope.values]]
    if (query.type !== undefined) conditions.push(['type = ?', query.type])
    if (query.enabled !== undefined) conditions.push(['enabled = ?', Number(query.enabled)])
    if (after) conditions.push(['(name COLLATE NOCASE, id) > (? COLLATE NOCASE, ?)', after.name, after.id])
    return this.#db
      .prepare<unknown[], SourceRow>(
        `${SELECT} WHERE ${conditions.map(([sql]) => sql).join(' AND ')} ORDER BY name COLLATE NOCASE, id LIMIT ?`
      )
      .all(...conditions.flatMap(([, ...values]) => values), query.limit)
      .map(sourceFrom)
  }

  /** Makes the workspace, too, where there is none. */
  insert(source: Source): void {
    this.#db
      .prepare('INSERT INTO workspace (id, name, created_at_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING')
      .run(source.workspaceId, source.workspaceId, source.createdAtMs)
    this.#db
      .prepare(
        `INSERT INTO source (id, workspace_id, name, path_name, type, protocol, url, rtsp_transport, fingerprint, on_demand, enabled,
                             record_enabled, publish_key, created_at_ms, updated_at_ms)
         VALUES (:id, :workspaceId, :name, :pathName, :type, :protocol, :url, :rtspTransport, :fingerprint, :onDemand, :enabled,
                 :recordEnabled, :publishKey, :createdAtMs, :updatedAtMs)`
      )
      .run(rowFrom(source))
  }

  update(source: Source): void {
    this.#db
      .prepare(
        `UPDATE source SET name = :name, protocol = :protocol, url = :url, rtsp_transport = :rtspTransport,
           fingerprint = :fingerprint, on_demand = :onDemand, enabled = :enabled, record_enabled = :recordEnabled,
           publish_key = :publishKey, updated_at_ms = :updatedAtMs WHERE id = :id`
      )
      .run(rowFrom(source))
  }

  delete(id: string): void {
    this.#db.prepare('DELETE FROM source WHERE id = ?').run(id)
  }

  /** Those in the bin, too: they may come back. */
  assetsOf(sourceId: string): LinkedAsset[] {
    return this.#db
      .prepare<unknown[], LinkedAsset>(
        `SELECT asset.id, name, state FROM stream_asset JOIN asset ON asset.id = asset_id
         WHERE source_id = ? ORDER BY asset.id LIMIT 100`
      )
      .all(sourceId)
  }

  /** Says that an asset is this stream, of which there is no preview to make. */
  link(assetId: string, sourceId: string): void {
    this.#db
      .prepare("UPDATE asset SET preview = 'unavailable', preview_problem = 'unsupported_type' WHERE id = ?")
      .run(assetId)
    this.#db.prepare('INSERT INTO stream_asset (asset_id, source_id) VALUES (?, ?)').run(assetId, sourceId)
  }

  sourceOfAsset(assetId: string): Source | undefined {
    return this.#one(`${SELECT} WHERE id = (SELECT source_id FROM stream_asset WHERE asset_id = ?)`, assetId)
  }

  /** What viewers' tokens are signed with. */
  secret(): Buffer {
    return this.#db.prepare<unknown[], { secret: Buffer }>('SELECT secret FROM stream_secret').get()!.secret
  }

  #one(sql: string, ...values: unknown[]): Source | undefined {
    const row = this.#db.prepare<unknown[], SourceRow>(sql).get(...values)
    return row && sourceFrom(row)
  }
}

function sourceFrom(row: SourceRow): Source {
  return { ...row, onDemand: row.onDemand === 1, enabled: row.enabled === 1, recordEnabled: row.recordEnabled === 1 }
}

function rowFrom(source: Source): SourceRow {
  return {
    ...source,
    onDemand: Number(source.onDemand),
    enabled: Number(source.enabled),
    recordEnabled: Number(source.recordEnabled)
  }
}
