import type { z } from 'zod'
import {
  type AccessPolicy,
  type AssetDetail,
  type AssetSummary,
  type CaptureData,
  captureDataSchema,
  type listAssetFacets,
  MAX_FACET_TAGS
} from '../../../shared/api/assets.ts'
import { isoFromMs, wallClockAt } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import { AppError } from '../../errors.ts'
import { tierOfKey } from '../../object-keys.ts'
import { scopeCondition, type WorkspaceScope } from '../../workspace-scope.ts'

type Facets = z.output<(typeof listAssetFacets)['response']>

export interface AssetRow {
  id: string
  workspace_id: string
  blob_id: string
  object_key: string
  name: string
  path: string
  kind: AssetSummary['kind']
  mime_type: string
  state: AssetSummary['state']
  size_bytes: number
  ref_count: number
  device_id: string | null
  flight_id: string | null
  source: AssetSummary['source']
  moderation: AssetSummary['moderation']
  taken_at_ms: number
  taken_day: string
  taken_zone_offset_min: number | null
  received_at_ms: number
  binned_at_ms: number | null
  archived_at_ms: number | null
  width: number | null
  height: number | null
  duration_ms: number | null
  preview: AssetSummary['preview']
  preview_problem: AssetSummary['previewProblem']
  damage: AssetSummary['damage']
  latitude: number | null
  longitude: number | null
  capture_json: string
  access: AccessPolicy
  cache_seconds: number | null
  created_by: string | null
}

type NotedFields = 'tags' | 'metadata' | 'moderationLabels' | 'moderationNote' | 'moderatedAt' | 'revision'

/** What a capture field says before anything was read from the file. */
const emptyCapture = Object.fromEntries(Object.keys(captureDataSchema.shape).map((key) => [key, null])) as CaptureData

export class AssetsRepository {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  facets(scope: WorkspaceScope): Facets {
    const inScope = scopeCondition(scope, 'workspace_id')
    return {
      ...(scope === 'all'
        ? { days: this.#distinct('taken_day').reverse(), kinds: this.#distinct('kind') as Facets['kinds'] }
        : this.#facetsOf(scope)),
      tags: this.#tags(scope),
      devices: this.#db
        .prepare<unknown[], { id: string; name: string; serial: string | null; model_key: string | null }>(
          `SELECT id, name, serial, model_key FROM device
           WHERE EXISTS (SELECT 1 FROM asset WHERE device_id = device.id AND binned_at_ms IS NULL AND ${inScope.sql})
           ORDER BY name, id`
        )
        .all(...inScope.values)
        .map((row) => ({ id: row.id, name: row.name, serial: row.serial, modelName: row.model_key }))
    }
  }

  #facetsOf(workspaceIds: readonly string[]): Pick<Facets, 'days' | 'kinds'> {
    const [days, kinds] = [new Set<string>(), new Set<string>()]
    for (const workspaceId of workspaceIds)
      for (const kind of this.#distinct('kind', { workspace_id: workspaceId })) {
        kinds.add(kind)
        for (const day of this.#distinct('taken_day', { workspace_id: workspaceId, kind })) days.add(day)
      }
    return { days: [...days].sort().reverse(), kinds: [...kinds].sort() as Facets['kinds'] }
  }

  /**
   * Values that occur where the other columns are `given`, ascending: each step jumps to the next one in the index, so it costs
   * no full scan.
   */
  #distinct(column: 'taken_day' | 'kind', given: Partial<Record<'workspace_id' | 'kind', string>> = {}): string[] {
    const where = ['binned_at_ms IS NULL', ...Object.keys(given).map((name) => `${name} = :${name}`)].join(' AND ')
    return this.#db
      .prepare<[object], { value: string }>(
        `WITH RECURSIVE found (value) AS (
           SELECT min(${column}) FROM asset WHERE ${where}
           UNION ALL
           SELECT (SELECT min(${column}) FROM asset WHERE ${column} > found.value AND ${where})
           FROM found WHERE found.value IS NOT NULL
         ) SELECT value FROM found WHERE value IS NOT NULL`
      )
      .all(given)
      .map((row) => row.value)
  }

  /** Ascending, as `#distinct`. */
  #tags(scope: WorkspaceScope): string[] {
    if (scope === 'all') return this.#tagsWhere('TRUE', {})
    const tags = scope.flatMap((workspaceId) => this.#tagsWhere('workspace_id = :workspaceId', { workspaceId }))
    return [...new Set(tags)].sort().slice(0, MAX_FACET_TAGS)
  }

  #tagsWhere(condition: string, values: { workspaceId?: string }): string[] {
    return this.#db
      .prepare<[object], { tag: string }>(
        `WITH RECURSIVE found (tag) AS (
           SELECT min(tag) FROM asset_tag WHERE ${condition}
           UNION ALL
           SELECT (SELECT min(tag) FROM asset_tag WHERE tag > found.tag AND ${condition})
           FROM found WHERE found.tag IS NOT NULL
         ) SELECT tag FROM found WHERE tag IS NOT NULL LIMIT :limit`
      )
      .all({ ...values, limit: MAX_FACET_TAGS })
      .map(({ tag }) => tag)
  }

  /** Throws `asset_not_found`. */
  get(assetId: string): AssetRow {
    const row = this.#db.prepare<unknown[], AssetRow>('SELECT * FROM asset WHERE id = ?').get(assetId)
    if (!row) throw new AppError('asset_not_found', { assetId })
    return row
  }

  /** Throws `asset_not_found`. */
  getSummary(assetId: string): AssetSummary {
    return summaryFromRow(this.get(assetId))
  }

  /** What the inspector shows of the asset itself; copies in `scope`. Throws `asset_not_found`. */
  getDetail(assetId: string, scope: WorkspaceScope): Omit<AssetDetail, 'jobs' | 'events' | 'references' | NotedFields> {
    const row = this.get(assetId)
    const inScope = scopeCondition(scope, 'workspace_id')
    const blob = this.#db
      .prepare<unknown[], { key: string; sha256: Buffer | null; copies: number; isQuarantined: number }>(
        `SELECT key, sha256, (SELECT count(*) FROM asset WHERE blob_id = blob.id AND ${inScope.sql}) AS copies,
                EXISTS (SELECT 1 FROM quarantine WHERE quarantine.sha256 = blob.sha256) AS isQuarantined
         FROM blob WHERE id = ?`
      )
      .get(...inScope.values, row.blob_id)
    return {
      ...summaryFromRow(row),
      path: row.path,
      objectKey: row.object_key,
      sha256: blob?.sha256?.toString('hex') ?? null,
      copies: blob?.copies ?? 1,
      access: row.access,
      cacheSeconds: row.cache_seconds,
      ownerId: row.created_by,
      isQuarantined: blob?.isQuarantined === 1,
      archivedAt: row.archived_at_ms === null ? null : isoFromMs(row.archived_at_ms),
      tier: tierOfKey(blob?.key ?? ''),
      refCount: row.ref_count,
      referenceTotal: this.#db
        .prepare<unknown[], { n: number }>('SELECT count(*) AS n FROM reference WHERE asset_id = ?')
        .get(assetId)!.n,
      capture: { ...emptyCapture, ...(JSON.parse(row.capture_json) as Partial<CaptureData>) },
      deviceName: this.#nameOf('device', row.device_id),
      flightName: this.#nameOf('flight', row.flight_id),
      renditions: this.#db
        .prepare<unknown[], { name: string; format: string; width: number; height: number; size_bytes: number }>(
          'SELECT name, format, width, height, size_bytes FROM rendition WHERE asset_id = ? ORDER BY name, format'
        )
        .all(assetId)
        .map(({ size_bytes, ...rest }) => ({ ...rest, sizeBytes: size_bytes }))
    }
  }

  #nameOf(table: 'device' | 'flight', id: string | null): string | null {
    if (id === null) return null
    return this.#db.prepare<unknown[], { name: string }>(`SELECT name FROM ${table} WHERE id = ?`).get(id)?.name ?? null
  }
}

/** An asset as lists tell it. */
export function summaryFromRow(row: AssetRow): AssetSummary {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    name: row.name,
    kind: row.kind,
    mimeType: row.mime_type,
    state: row.state,
    sizeBytes: row.size_bytes,
    takenAt: isoFromMs(row.taken_at_ms),
    takenLocal: wallClockAt(row.taken_at_ms, row.taken_zone_offset_min),
    takenDay: row.taken_day,
    takenZoneKnown: row.taken_zone_offset_min !== null,
    receivedAt: isoFromMs(row.received_at_ms),
    binnedAt: row.binned_at_ms === null ? null : isoFromMs(row.binned_at_ms),
    width: row.width,
    height: row.height,
    durationMs: row.duration_ms,
    deviceId: row.device_id,
    flightId: row.flight_id,
    source: row.source,
    moderation: row.moderation,
    preview: row.preview,
    previewProblem: row.preview_problem,
    damage: row.damage
  }
}
