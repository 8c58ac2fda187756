import type { NewReference, Reference } from '../../../shared/api/references.ts'
import type { AuditLog } from '../../audit/audit-log.ts'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import { AppError } from '../../errors.ts'
import type { Outbox } from '../../events/outbox.ts'
import { isInScope, type WorkspaceScope } from '../../workspace-scope.ts'
import { type Lifecycle, stateOf, withStrongReferences } from './lifecycle.ts'
import type { ReferencesRepository, ReferenceToAdd } from './references.repository.ts'

export interface ReferencesServiceDeps {
  /** Has the bytes of an asset moved if they belong elsewhere now; runs inside the transaction. */
  reviewPlace: (assetId: string) => void
  db: Database
  holders: ReferencesRepository
  outbox: Outbox
  audit: AuditLog
  clock: Clock
}

const SHOWN_REFERENCES = 100

/** What a transaction does to one asset's references. */
interface Change {
  life: Lifecycle
  wasArchived: boolean
  added: number
  removed: number
}

/** Who uses what: an asset's reference count and state always follow from its references, in the same transaction. */
export class ReferencesService {
  readonly #deps: ReferencesServiceDeps

  constructor(deps: ReferencesServiceDeps) {
    this.#deps = deps
  }

  /** The oldest references of an asset, as many as are shown at once. */
  listFirst(assetId: string): Reference[] {
    return this.#deps.holders.listOfAsset(assetId, { limit: SHOWN_REFERENCES })
  }

  /** Adds one reference. Throws `asset_not_found`, `asset_binned`. */
  create(assetId: string, request: NewReference): { reference: Reference; isNew: boolean; refCount: number } {
    const { db, holders } = this.#deps
    return db.transaction(() => {
      const { created, lives } = this.#add([{ assetId, ...request }])
      const { id, isNew } = created[0]!
      return { reference: holders.find(id)!, isNew, refCount: lives.get(assetId)!.refCount }
    })
  }

  /** Adds all of them, or none. Throws as {@link create}, naming the asset. */
  createBatch(requests: readonly (NewReference & { assetId: string })[]): {
    createdCount: number
    referenceIds: string[]
  } {
    return this.#deps.db.transaction(() => {
      const { created } = this.#add(requests)
      return {
        createdCount: created.filter(({ isNew }) => isNew).length,
        referenceIds: created.map(({ id }) => id)
      }
    })
  }

  /** Removes one reference. Throws `reference_not_found`. */
  delete(referenceId: string): { assetId: string; life: Lifecycle } {
    const { db, holders } = this.#deps
    return db.transaction(() => {
      const reference = holders.find(referenceId)
      if (!reference) throw new AppError('reference_not_found', { referenceId })
      const lives = this.#remove([reference])
      return { assetId: reference.assetId, life: lives.get(reference.assetId)! }
    })
  }

  /** Removes the references with these ids, as far as they exist in `scope`. Gives their number. */
  deleteMany(referenceIds: readonly string[], scope: WorkspaceScope = 'all'): number {
    const { db, holders } = this.#deps
    return db.transaction(() => {
      const references = [...new Set(referenceIds)]
        .flatMap((id) => holders.find(id) ?? [])
        .filter(({ assetId }) => scope === 'all' || isInScope(scope, holders.namesOf(assetId).workspaceId))
      this.#remove(references)
      return references.length
    })
  }

  /** Removes up to `limit` references of a holder in `scope`. Gives their number. */
  deleteOfHolder(
    holder: Parameters<ReferencesRepository['listOfHolder']>[0],
    scope: WorkspaceScope,
    limit: number
  ): number {
    const { db, holders } = this.#deps
    return db.transaction(() => {
      const references = holders.listOfHolder(holder, scope, { limit })
      this.#remove(references)
      return references.length
    })
  }

  /** Removes up to `limit` temporary references whose time is over. Gives their number. */
  deleteExpired(limit: number): number {
    const { db, holders, clock } = this.#deps
    return db.transaction(() => {
      const references = holders.listExpired(clock.nowMs(), limit)
      this.#remove(references, 'expired')
      return references.length
    })
  }

  #add(requests: readonly (NewReference & { assetId: string })[]) {
    const { holders, clock } = this.#deps
    const nowMs = clock.nowMs()
    const changes = new Map<string, Change>()
    const created = requests.map((request) => {
      const { assetId, kind } = request
      const change = this.#changeOf(changes, assetId)
      if (change.life.binnedAtMs !== null) throw new AppError('asset_binned', { assetId })
      const { id, isNew } = holders.put(referenceFrom(request, nowMs), nowMs)
      if (isNew) change.added++
      if (isNew && kind === 'strong') change.life = withStrongReferences(change.life, 1, nowMs)
      return { id, isNew }
    })
    return { created, lives: this.#apply(changes, nowMs) }
  }

  #remove(references: readonly Reference[], reason: 'asked' | 'expired' = 'asked'): Map<string, Lifecycle> {
    const { holders, clock } = this.#deps
    const nowMs = clock.nowMs()
    const changes = new Map<string, Change>()
    for (const { id, assetId, kind } of references) {
      const change = this.#changeOf(changes, assetId)
      holders.delete(id)
      change.removed++
      if (kind === 'strong') change.life = withStrongReferences(change.life, -1, nowMs)
    }
    this.#writeDown(references, reason)
    return this.#apply(changes, nowMs)
  }

  /** One record for all of them; of a single one it says everything. */
  #writeDown(references: readonly Reference[], reason: 'asked' | 'expired'): void {
    const { audit, holders } = this.#deps
    const [first] = references
    if (!first) return
    if (references.length === 1) {
      const { id: referenceId, assetId, kind, namespace, owner, externalId } = first
      const { workspaceId } = holders.namesOf(assetId)
      const holder = { namespace, owner, externalId }
      audit.record('references.deleted', assetId, { workspaceId, count: 1, reason, referenceId, kind, ...holder })
      return
    }
    const namespaces = [...new Set(references.map(({ namespace }) => namespace))]
    audit.record('references.deleted', namespaces.length === 1 ? first.namespace : '*', {
      count: references.length,
      assetCount: new Set(references.map(({ assetId }) => assetId)).size,
      reason
    })
  }

  /** Throws `asset_not_found`. */
  #changeOf(changes: Map<string, Change>, assetId: string): Change {
    const known = changes.get(assetId)
    if (known) return known
    const life = this.#deps.holders.findLife(assetId)
    if (!life) throw new AppError('asset_not_found', { assetId })
    const change = { life, wasArchived: life.archivedAtMs !== null, added: 0, removed: 0 }
    changes.set(assetId, change)
    return change
  }

  /** Writes what changed and tells it, once for each asset. */
  #apply(changes: Map<string, Change>, nowMs: number): Map<string, Lifecycle> {
    const { holders, outbox } = this.#deps
    const lives = new Map<string, Lifecycle>()
    for (const [assetId, { life, wasArchived, added, removed }] of changes) {
      lives.set(assetId, life)
      if (added + removed === 0) continue
      holders.setLife(assetId, life, nowMs)
      if (wasArchived && life.archivedAtMs === null) this.#deps.reviewPlace(assetId)
      outbox.append('asset.references', assetId, { added, removed, refCount: life.refCount, state: stateOf(life) })
    }
    return lives
  }
}

function referenceFrom(request: NewReference & { assetId: string }, nowMs: number): ReferenceToAdd {
  const { expiresInSeconds } = request
  return {
    assetId: request.assetId,
    kind: request.kind,
    namespace: request.namespace,
    owner: request.owner ?? null,
    externalId: request.externalId ?? null,
    businessTag: request.businessTag ?? null,
    expiresAtMs: expiresInSeconds === undefined ? null : nowMs + expiresInSeconds * 1000
  }
}
