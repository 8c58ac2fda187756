import {
  type AssetChanges,
  MAX_METADATA_BYTES,
  MAX_TAGS,
  type TagChanges,
  type Verdict
} from '../../../shared/api/asset-changes.ts'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import { AppError } from '../../errors.ts'
import type { Outbox } from '../../events/outbox.ts'
import type { AssetNotes, ChangesRepository } from './changes.repository.ts'

export interface ChangesServiceDeps {
  db: Database
  clock: Clock
  outbox: Outbox
  changes: ChangesRepository
  /** What follows from a judgement; called in the transaction that writes it down. */
  onJudged: (assetId: string, verdict: Verdict) => void
}

/** Changes what people and applications say about assets. */
export class ChangesService {
  readonly #deps: ChangesServiceDeps

  constructor(deps: ChangesServiceDeps) {
    this.#deps = deps
  }

  /**
   * Changes what `wanted` names, all or nothing; tells whether anything is different now. Throws `asset_not_found`;
   * `asset_changed` when the asset is at another revision than the caller saw; `invalid_request` for too many tags or too
   * much metadata.
   */
  update(assetId: string, wanted: AssetChanges): boolean {
    const { db, clock, outbox, changes } = this.#deps
    return db.transaction(() => {
      const before = changes.find(assetId)
      if (!before) throw new AppError('asset_not_found', { assetId })
      if (wanted.ifRevision !== undefined && wanted.ifRevision !== before.revision)
        throw new AppError('asset_changed', { revision: before.revision })
      const changed = [
        ...(this.#rename(assetId, before, wanted.name) ? ['name'] : []),
        ...(this.#tag(assetId, before, wanted.tags) ? ['tags'] : []),
        ...(this.#judge(assetId, before, wanted.moderation) ? ['moderation'] : []),
        ...(this.#mergeMetadata(assetId, before, wanted.metadata) ? ['metadata'] : [])
      ]
      if (changed.length === 0) return false
      changes.countChange(assetId, clock.nowMs())
      outbox.append('asset.updated', assetId, { changed })
      return true
    })
  }

  #rename(assetId: string, before: AssetNotes, name: string | undefined): boolean {
    if (name === undefined || name === before.name) return false
    this.#deps.changes.rename(assetId, name)
    return true
  }

  #tag(assetId: string, before: AssetNotes, wanted: TagChanges | undefined): boolean {
    if (!wanted) return false
    const tags = tagsAfter(before.tags, wanted)
    const added = [...tags].filter((tag) => !before.tags.includes(tag))
    const removed = before.tags.filter((tag) => !tags.has(tag))
    if (added.length > 0 && tags.size > MAX_TAGS) throw unfit('tags', `an asset has at most ${MAX_TAGS} tags`)
    for (const tag of added) this.#deps.changes.addTag(assetId, tag)
    for (const tag of removed) this.#deps.changes.removeTag(assetId, tag)
    return added.length + removed.length > 0
  }

  #judge(assetId: string, before: AssetNotes, verdict: Verdict | undefined): boolean {
    if (!verdict) return false
    const { status, labels, note } = verdict
    const isSame =
      status === before.moderation &&
      note === before.moderationNote &&
      JSON.stringify(labels) === JSON.stringify(before.moderationLabels)
    if (isSame) return false
    this.#deps.changes.judge(assetId, verdict, this.#deps.clock.nowMs())
    this.#deps.onJudged(assetId, verdict)
    return true
  }

  #mergeMetadata(assetId: string, before: AssetNotes, wanted: AssetChanges['metadata']): boolean {
    if (!wanted) return false
    const members = Object.entries({ ...before.metadata, ...wanted }).filter(([, value]) => value !== null)
    const metadataJson = JSON.stringify(Object.fromEntries(members))
    if (metadataJson === JSON.stringify(before.metadata)) return false
    if (Buffer.byteLength(metadataJson) > MAX_METADATA_BYTES)
      throw unfit('metadata', `an asset has at most ${MAX_METADATA_BYTES} bytes of metadata`)
    this.#deps.changes.setMetadata(assetId, metadataJson)
    return true
  }
}

function tagsAfter(before: string[], wanted: TagChanges): Set<string> {
  if ('replace' in wanted) return new Set(wanted.replace)
  return new Set([...before, ...wanted.add].filter((tag) => !wanted.remove.includes(tag)))
}

function unfit(path: string, message: string): AppError {
  return new AppError('invalid_request', { in: 'body', issues: [{ path, message }] })
}
