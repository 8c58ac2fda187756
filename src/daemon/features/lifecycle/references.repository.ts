import type { Reference } from '../../../shared/api/references.ts'
import { isoFromMs } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import { newId } from '../../ids.ts'
import { scopeCondition, type WorkspaceScope } from '../../workspace-scope.ts'
import type { AgeCursor, Counted, Stretch } from './lifecycle.repository.ts'
import { type Lifecycle, stateOf } from './lifecycle.ts'

/** Nulls stand for what the holder does not name. */
export interface Holder {
  namespace: string
  owner: string | null
  externalId: string | null
}

export interface ReferenceToAdd extends Holder {
  assetId: string
  kind: Reference['kind']
  businessTag: string | null
  expiresAtMs: number | null
}

interface ReferenceRow {
  id: string
  asset_id: string
  kind: Reference['kind']
  namespace: string
  owner: string | null
  external_id: string | null
  business_tag: string | null
  created_at_ms: number
  expires_at_ms: number | null
}

/** Who uses which asset, and the state of assets that follows from it. */
export class ReferencesRepository {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** Where an asset is in its life; undefined when there is no such asset. */
  findLife(assetId: string): Lifecycle | undefined {
    return this.#db
      .prepare<unknown[], Lifecycle>(
        `SELECT ref_count AS refCount, pending_since_ms AS pendingSinceMs, archived_at_ms AS archivedAtMs,
                binned_at_ms AS binnedAtMs
         FROM asset WHERE id = ?`
      )
      .get(assetId)
  }

  /** What people know an asset of the catalogue by. */
  namesOf(assetId: string): { workspaceId: string; name: string; kind: string } {
    return this.#db
      .prepare<unknown[], { workspaceId: string; name: string; kind: string }>(
        'SELECT workspace_id AS workspaceId, name, kind FROM asset WHERE id = ?'
      )
      .get(assetId)!
  }

  setLife(assetId: string, life: Lifecycle, nowMs: number): void {
    this.#db
      .prepare(
        `UPDATE asset SET state = :state, ref_count = :refCount, binned_at_ms = :binnedAtMs, updated_at_ms = :nowMs,
           expiry_told_at_ms = iif(pending_since_ms IS :pendingSinceMs, expiry_told_at_ms, NULL),
           pending_since_ms = :pendingSinceMs, archived_at_ms = :archivedAtMs
         WHERE id = :assetId`
      )
      .run({ ...life, state: stateOf(life), nowMs, assetId })
  }

  /** Adds a reference, or renews the one that this holder has: a later expiry and another business tag count. */
  put(reference: ReferenceToAdd, nowMs: number): { id: string; isNew: boolean } {
    const id = newId(nowMs)
    const row = this.#db
      .prepare<unknown[], { id: string }>(
        `INSERT INTO reference (id, asset_id, kind, namespace, owner, external_id, business_tag, created_at_ms, expires_at_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (asset_id, kind, namespace, coalesce(owner, ''), coalesce(external_id, '')) DO UPDATE SET
           business_tag = coalesce(excluded.business_tag, business_tag),
           expires_at_ms = max(expires_at_ms, excluded.expires_at_ms)
         RETURNING id`
      )
      .get(
        id,
        reference.assetId,
        reference.kind,
        reference.namespace,
        reference.owner,
        reference.externalId,
        reference.businessTag,
        nowMs,
        reference.expiresAtMs
      )!
    return { id: row.id, isNew: row.id === id }
  }

  find(referenceId: string): Reference | undefined {
    const row = this.#db.prepare<unknown[], ReferenceRow>('SELECT * FROM reference WHERE id = ?').get(referenceId)
    return row && referenceFromRow(row)
  }

  /** The strong references by which this holder may be meant: of its namespace, and of its owner and thing where named. */
  listStrongOf(assetId: string, holder: Holder): Reference[] {
    return this.#db
      .prepare<unknown[], ReferenceRow>(
        `SELECT * FROM reference WHERE asset_id = :assetId AND kind = 'strong' AND namespace = :namespace
           AND (:owner IS NULL OR owner = :owner) AND (:externalId IS NULL OR external_id = :externalId) LIMIT 2`
      )
      .all({ assetId, ...holder } as never)
      .map(referenceFromRow)
  }

  /** All references of an asset that are this holder's: of its namespace, and of its owner and thing where named. */
  listOwn(assetId: string, holder: Holder): Reference[] {
    return this.#db
      .prepare<object, ReferenceRow>(
        `SELECT * FROM reference WHERE asset_id = :assetId AND namespace = :namespace
           AND (:owner IS NULL OR owner = :owner) AND (:externalId IS NULL OR external_id = :externalId)`
      )
      .all({ assetId, ...holder })
      .map(referenceFromRow)
  }

  /** The temporary references of an asset that are not over at `nowMs`. */
  listTemporary(assetId: string, nowMs: number): Reference[] {
    return this.#db
      .prepare<unknown[], ReferenceRow>(
        `SELECT * FROM reference WHERE asset_id = ? AND kind = 'temporary' AND expires_at_ms > ?`
      )
      .all(assetId, nowMs)
      .map(referenceFromRow)
  }

  /** Who uses an asset, oldest first, after the reference with id `cursor`. */
  listOfAsset(
    assetId: string,
    query: { cursor?: string | undefined; limit: number; kind?: string | undefined; namespace?: string | undefined }
  ): Reference[] {
    return this.#list('asset_id = ?', [assetId], query)
  }

  /** What a holder uses in `scope`, by age, after the reference with id `cursor`. */
  listOfHolder(
    holder: { namespace: string; owner?: string | undefined; externalId?: string | undefined },
    scope: WorkspaceScope,
    query: { cursor?: string | undefined; limit: number }
  ): Reference[] {
    const inScope = scopeCondition(scope, '(SELECT workspace_id FROM asset WHERE id = asset_id)')
    const conditions = ['namespace = ?', inScope.sql]
    const values = [holder.namespace, ...inScope.values]
    if (holder.owner !== undefined) {
      conditions.push('owner = ?')
      values.push(holder.owner)
    }
    if (holder.externalId !== undefined) {
      conditions.push('external_id = ?')
      values.push(holder.externalId)
    }
    return this.#list(conditions.join(' AND '), values, query)
  }

  /** Temporary references whose time is over, the oldest first. */
  listExpired(nowMs: number, limit: number): Reference[] {
    return this.#db
      .prepare<unknown[], ReferenceRow>(
        'SELECT * FROM reference WHERE expires_at_ms <= ? ORDER BY expires_at_ms LIMIT ?'
      )
      .all(nowMs, limit)
      .map(referenceFromRow)
  }

  /** How many temporary references are over at `untilMs`, of the next `limit`. */
  countExpired({ untilMs, after, limit }: Stretch): Counted {
    const source = `FROM reference WHERE expires_at_ms <= :untilMs AND (expires_at_ms, id) > (:sinceMs, :id)
      ORDER BY expires_at_ms, id`
    const bounds = { untilMs, ...after, limit }
    const { count } = this.#db
      .prepare<object, { count: number }>(`SELECT count(*) AS count FROM (SELECT 1 ${source} LIMIT :limit)`)
      .get(bounds)!
    const last = this.#db
      .prepare<object, AgeCursor>(`SELECT id, expires_at_ms AS sinceMs ${source} LIMIT 1 OFFSET :limit - 1`)
      .get(bounds)
    return { count, last: last ?? null }
  }

  /** Whether a temporary reference holds the asset at this moment. */
  isHeldForAWhile(assetId: string, nowMs: number): boolean {
    return (
      this.#db
        .prepare(`SELECT 1 FROM reference WHERE asset_id = ? AND kind = 'temporary' AND expires_at_ms > ?`)
        .get(assetId, nowMs) !== undefined
    )
  }

  delete(referenceId: string): void {
    this.#db.prepare('DELETE FROM reference WHERE id = ?').run(referenceId)
  }

  #list(
    condition: string,
    values: string[],
    query: { cursor?: string | undefined; limit: number; kind?: string | undefined; namespace?: string | undefined }
  ): Reference[] {
    const conditions = [condition]
    const bound: unknown[] = [...values]
    const where = (sql: string, value: string | undefined): void => {
      if (value === undefined) return
      conditions.push(sql)
      bound.push(value)
    }
    where('kind = ?', query.kind)
    where('namespace = ?', query.namespace)
    where('id > ?', query.cursor)
    return this.#db
      .prepare<unknown[], ReferenceRow>(`SELECT * FROM reference WHERE ${conditions.join(' AND ')} ORDER BY id LIMIT ?`)
      .all(...bound, query.limit)
      .map(referenceFromRow)
  }
}

function referenceFromRow(row: ReferenceRow): Reference {
  return {
    id: row.id,
    assetId: row.asset_id,
    kind: row.kind,
    namespace: row.namespace,
    owner: row.owner,
    externalId: row.external_id,
    businessTag: row.business_tag,
    createdAt: isoFromMs(row.created_at_ms),
    expiresAt: row.expires_at_ms === null ? null : isoFromMs(row.expires_at_ms)
  }
}
