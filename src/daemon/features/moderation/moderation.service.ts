import type { Verdict } from '../../../shared/api/asset-changes.ts'
import type { AuditLog } from '../../audit/audit-log.ts'
import { type Clock, isoFromMs } from '../../clock.ts'
import type { ModerationConfig } from '../../config/settings/moderation.ts'
import type { Database } from '../../db/database.ts'
import { JobDeferred } from '../../jobs/define-job.ts'
import type { JobQueue } from '../../jobs/job-queue.ts'
import { announce } from './announce.ts'
import { announceAssetJob, quarantineRejectedJob } from './moderation.jobs.ts'
import type { ModeratedAsset, ModerationRepository } from './moderation.repository.ts'

export interface ModerationServiceDeps {
  db: Database
  clock: Clock
  queue: JobQueue
  audit: AuditLog
  repository: ModerationRepository
  config: ModerationConfig
  /** An address that opens the bytes without a token for so long. */
  signUrl: (assetId: string, expiresInSeconds: number) => Promise<{ url: string; expiresAtMs: number }>
  /** Writes a judgement down, which then reaches `noteVerdict`. */
  judge: (assetId: string, verdict: Verdict) => void
  /** From now on nobody can read the bytes of this asset. */
  quarantine: (assetId: string, reason: string) => Promise<void>
}

/** A judge may look later, and more than once. */
const URL_SECONDS = 24 * 3600
/** What a file is shall be known first, but not at any price. */
const PATIENCE_MS = 600_000
const REST_MS = 1000

/** Has somebody else judge what arrives, and acts on the judgement. */
export class ModerationService {
  readonly #deps: ModerationServiceDeps

  constructor(deps: ModerationServiceDeps) {
    this.#deps = deps
  }

  /** Has a new asset announced where a service is named; in the current transaction, if any. */
  enqueue(assetId: string): void {
    if (this.#deps.config.hook) this.#deps.queue.enqueue(announceAssetJob, { assetId })
  }

  /** What follows from a judgement; call it in the transaction that writes it down. */
  noteVerdict(assetId: string, { status }: Verdict): void {
    const { config, queue, audit, repository } = this.#deps
    if (status !== 'rejected' || config.onReject !== 'quarantine') return
    // Whoever locks the bytes is known here only: the job is the program's own.
    const { workspaceId, name } = repository.find(assetId)!
    audit.record('asset.rejected', assetId, { workspaceId, name })
    queue.enqueue(quarantineRejectedJob, { assetId })
  }

  /** Announces an asset that nobody judged. Throws `JobDeferred` while its preview and its digest are being made. */
  async announce(assetId: string, signal: AbortSignal): Promise<void> {
    const { clock, repository, config, signUrl } = this.#deps
    const asset = repository.find(assetId)
    if (!config.hook || !asset || !config.hook.kinds.includes(asset.kind) || !isWaiting(asset)) return
    const isKnown = asset.preview !== 'pending' && asset.sha256 !== null
    const ageMs = clock.nowMs() - asset.receivedAtMs
    if (!isKnown && ageMs < PATIENCE_MS)
      throw new JobDeferred(Math.max(REST_MS, ageMs / 2), 'waits for the preview and the digest')
    const { url, expiresAtMs } = await signUrl(assetId, URL_SECONDS)
    const { id, moderation: _, preview: __, receivedAtMs, binnedAtMs: ___, ...facts } = asset
    const verdict = await announce(
      config.hook,
      {
        id: `moderation_${id}`,
        atMs: clock.nowMs(),
        data: {
          assetId: id,
          ...facts,
          receivedAt: isoFromMs(receivedAtMs),
          url,
          urlExpiresAt: isoFromMs(expiresAtMs),
          answerTo: `/api/v1/assets/${id}/moderation`
        }
      },
      signal
    )
    this.#settle(assetId, verdict)
  }

  /** Locks the bytes of an asset, unless the judgement is another one by now. */
  async quarantineRejected(assetId: string): Promise<void> {
    const asset = this.#deps.repository.find(assetId)
    if (asset?.moderation === 'rejected') await this.#deps.quarantine(assetId, 'rejected by moderation')
  }

  /** The service may have answered by a call of its own before it answered ours; that counts, unless ours has a judgement. */
  #settle(assetId: string, verdict: Verdict | null): void {
    const { db, repository, judge } = this.#deps
    db.transaction(() => {
      const asset = repository.find(assetId)
      if (!asset) return
      if (verdict) judge(assetId, verdict)
      else if (asset.moderation === null) judge(assetId, { status: 'pending', labels: [], note: null })
    })
  }
}

/** Not judged, and not deleted meanwhile. */
function isWaiting({ moderation, binnedAtMs }: ModeratedAsset): boolean {
  return binnedAtMs === null && (moderation === null || moderation === 'pending')
}
