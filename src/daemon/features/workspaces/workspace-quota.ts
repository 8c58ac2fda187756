import type { Workspace } from '../../../shared/api/workspaces.ts'
import { AppError } from '../../errors.ts'
import type { WorkspacesRepository } from './workspaces.repository.ts'

/**
 * How much applications may keep in a workspace. Every asset counts with its size until it is purged, also where equal bytes are
 * kept once: so a file costs the same whoever else has it, and taking one away always makes room. What controllers upload counts,
 * and is never refused.
 */
export class WorkspaceQuota {
  readonly #repository: WorkspacesRepository
  readonly #quotaBytes: number | null

  constructor(deps: { repository: WorkspacesRepository; quotaBytes: number | null }) {
    this.#repository = deps.repository
    this.#quotaBytes = deps.quotaBytes
  }

  /** With the quota that holds for it. */
  withQuota<T extends Pick<Workspace, 'quotaBytes'>>(workspace: T): T {
    return { ...workspace, quotaBytes: workspace.quotaBytes ?? this.#quotaBytes }
  }

  /** Throws `quota_exceeded` when an asset of this size does not fit. Call it in the transaction that makes the asset. */
  assertRoom(workspaceId: string, sizeBytes: number): void {
    this.#assert(workspaceId, sizeBytes, false)
  }

  /** As {@link assertRoom} for an upload that begins: what others announced counts, too. */
  assertRoomToBegin(workspaceId: string, sizeBytes: number): void {
    this.#assert(workspaceId, sizeBytes, true)
  }

  #assert(workspaceId: string, sizeBytes: number, countsPending: boolean): void {
    const usage = this.withQuota(this.#repository.usageOf(workspaceId))
    const takenBytes = usage.usedBytes + (countsPending ? usage.pendingBytes : 0)
    if (usage.quotaBytes !== null && takenBytes + sizeBytes > usage.quotaBytes)
      throw new AppError('quota_exceeded', { workspaceId, sizeBytes, ...usage })
  }
}
