import type { DeletionOutcome } from '../../../shared/api/deletions.ts'
import type { AuditLog } from '../../audit/audit-log.ts'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import { AppError } from '../../errors.ts'
import type { Outbox } from '../../events/outbox.ts'
import { binned, type Lifecycle, restored } from './lifecycle.ts'
import type { Holder, ReferencesRepository } from './references.repository.ts'
import type { ReferencesService } from './references.service.ts'

const SHOWN_REFERENCES = 100

export interface BinServiceDeps {
  db: Database
  clock: Clock
  outbox: Outbox
  audit: AuditLog
  holders: ReferencesRepository
  references: ReferencesService
  /** Has the bytes of an asset moved if they belong elsewhere now; runs inside the restoring transaction. */
  reviewPlace: (assetId: string) => void
  /** Makes controllers free to upload the file again; runs inside the binning transaction. */
  forgetUploads: (assetId: string) => void
  /** Takes that back; runs inside the restoring transaction. */
  rememberUploads: (assetId: string) => void
}

/** Whose reference is meant when several hold the asset. */
export type DeletingCaller = { referenceId: string } | Holder | null

/** Why an asset moves to the bin: somebody wants it to, though several hold it, or nobody needs it. */
type BinningReason = 'asked' | 'forced' | 'orphaned'

export interface Deletion {
  outcome: 'reference_removed' | 'binned'
  life: Lifecycle
}

/** Into the bin and back. */
export class BinService {
  readonly #deps: BinServiceDeps

  constructor(deps: BinServiceDeps) {
    this.#deps = deps
  }

  /**
   * For a caller who does not need the asset any more. While several strong references hold it, only the caller's goes; else
   * the asset moves to the bin, with the reference it has, for its return. Again is harmless. Throws `asset_not_found`;
   * `reference_not_found` when what the caller names is no strong reference of the asset; `asset_in_use` with the list when
   * several hold it and either `guard` is set or the caller names none, or more than one. With `force` the asset moves to the bin
   * whoever holds it; their references stay for its return.
   */
  delete(
    assetId: string,
    options: { guard: boolean; caller: DeletingCaller; force?: boolean; reason?: BinningReason }
  ): Deletion {
    const { db, holders, references } = this.#deps
    const { force = false, reason = 'asked' } = options
    return db.transaction(() => {
      const life = this.#lifeOf(assetId)
      if (life.binnedAtMs !== null) return { outcome: 'binned', life }
      if (force && life.refCount > 1) return { outcome: 'binned', life: this.#bin(assetId, life, 'forced') }
      const named = options.guard ? null : this.#referenceOf(assetId, options.caller)
      if (life.refCount <= 1) return { outcome: 'binned', life: this.#bin(assetId, life, reason) }
      if (named === null) {
        const strong = holders.listOfAsset(assetId, { kind: 'strong', limit: SHOWN_REFERENCES })
        throw new AppError('asset_in_use', { refCount: life.refCount, references: strong })
      }
      return { outcome: 'reference_removed', life: references.delete(named).life }
    })
  }

  /**
   * For a system that does not need the asset any more and waits for no answer. What others hold stays, without the references
   * of `holder`; else the asset moves to the bin, with the references it has, for its return. With `holder` null a single
   * strong reference is taken to be that of the system.
   */
  letGo(assetId: string, holder: Holder | null): DeletionOutcome {
    const { db, holders, references, clock } = this.#deps
    return db.transaction(() => {
      const life = holders.findLife(assetId)
      if (!life) return 'missing'
      if (life.binnedAtMs !== null) return 'already_binned'
      const own = holder === null ? [] : holders.listOwn(assetId, holder)
      const ownStrong = holder === null ? 1 : own.filter(({ kind }) => kind === 'strong').length
      const isOwn = new Set(own.map(({ id }) => id))
      const isHeld =
        life.refCount > ownStrong || holders.listTemporary(assetId, clock.nowMs()).some(({ id }) => !isOwn.has(id))
      if (!isHeld) {
        this.#bin(assetId, life, 'asked')
        return 'binned'
      }
      return references.deleteMany(own.map(({ id }) => id)) > 0 ? 'released' : 'kept'
    })
  }

  /** Brings an asset back as it was. Throws `asset_not_found`, `asset_not_binned`. */
  restore(assetId: string): void {
    const { db, holders, outbox, audit, clock } = this.#deps
    db.transaction(() => {
      const life = this.#lifeOf(assetId)
      if (life.binnedAtMs === null) throw new AppError('asset_not_binned', { assetId })
      holders.setLife(assetId, restored(life, clock.nowMs()), clock.nowMs())
      this.#deps.rememberUploads(assetId)
      if (life.archivedAtMs !== null) this.#deps.reviewPlace(assetId)
      const names = holders.namesOf(assetId)
      outbox.append('asset.restored', assetId, names)
      audit.record('asset.restored', assetId, names)
    })
  }

  #bin(assetId: string, life: Lifecycle, reason: BinningReason): Lifecycle {
    const { holders, outbox, audit, clock } = this.#deps
    const inBin = binned(life, clock.nowMs())
    holders.setLife(assetId, inBin, clock.nowMs())
    this.#deps.forgetUploads(assetId)
    const told = { ...holders.namesOf(assetId), reason }
    outbox.append('asset.binned', assetId, told)
    audit.record('asset.binned', assetId, told)
    return inBin
  }

  /** The one strong reference that the caller names; null when it names none, or several. Throws `reference_not_found`. */
  #referenceOf(assetId: string, caller: DeletingCaller): string | null {
    if (caller === null) return null
    const meant = this.#strongReferences(assetId, caller)
    if (meant.length === 0) throw new AppError('reference_not_found', { assetId, ...caller })
    return meant.length === 1 ? meant[0]! : null
  }

  #strongReferences(assetId: string, caller: NonNullable<DeletingCaller>): string[] {
    const { holders } = this.#deps
    if (!('referenceId' in caller)) return holders.listStrongOf(assetId, caller).map(({ id }) => id)
    const reference = holders.find(caller.referenceId)
    return reference?.assetId === assetId && reference.kind === 'strong' ? [reference.id] : []
  }

  /** Throws `asset_not_found`. */
  #lifeOf(assetId: string): Lifecycle {
    const life = this.#deps.holders.findLife(assetId)
    if (!life) throw new AppError('asset_not_found', { assetId })
    return life
  }
}
