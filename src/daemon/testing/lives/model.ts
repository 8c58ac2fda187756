import type { AssetDetail } from '../../../shared/api/assets.ts'
import type { Reference } from '../../../shared/api/references.ts'

/** An asset as an outsider knows it. Times are epoch milliseconds by the clock of the base. */
export interface KnownAsset {
  id: string
  content: number
  references: Map<string, { kind: Reference['kind']; expiresAtMs: number | null }>
  binnedAtMs: number | null
  isGone: boolean
  /** Until then a strong reference held it, or it had just come: from here the grace period counts. */
  heldUntilMs: number
}

/** How long things stay by default. */
export const GRACE_MS = 24 * 3_600_000
export const BIN_MS = 30 * 24 * 3_600_000
/** After the grace period, where orphans go to the archive. */
export const ARCHIVE_MS = 60 * 24 * 3_600_000
export type OrphanPolicy = 'bin' | 'purge' | 'archive'

export function holds(asset: KnownAsset, nowMs: number): boolean {
  return [...asset.references.values()].some(
    ({ kind, expiresAtMs }) => kind === 'strong' || (kind === 'temporary' && expiresAtMs! > nowMs)
  )
}

/** Notes what is known of an asset now. */
export function learn(asset: KnownAsset, truth: AssetDetail | null, nowMs: number): void {
  if (truth === null) {
    asset.isGone = true
    return
  }
  const wasHeld = [...asset.references.values()].some(({ kind }) => kind === 'strong')
  if (wasHeld || truth.refCount > 0 || (asset.binnedAtMs !== null && truth.binnedAt === null)) asset.heldUntilMs = nowMs
  asset.binnedAtMs = truth.binnedAt === null ? null : Date.parse(truth.binnedAt)
  asset.references = new Map(
    truth.references.map(({ id, kind, expiresAt }) => [
      id,
      { kind, expiresAtMs: expiresAt === null ? null : Date.parse(expiresAt) }
    ])
  )
}

/**
 * What is wrong when `truth` is what became of an asset that nobody has asked anything for since it was known: the base by itself
 * drops references whose time is over, bins what nothing holds after the grace period, and purges after the time in the bin.
 */
export function faultOf(
  known: KnownAsset,
  truth: AssetDetail | null,
  nowMs: number,
  orphanPolicy: OrphanPolicy
): string | null {
  if (known.isGone) return truth === null ? null : 'came back from nothing'
  const graceMs = orphanPolicy === 'archive' ? GRACE_MS + ARCHIVE_MS : GRACE_MS
  const mayGo = !holds(known, nowMs) && nowMs - known.heldUntilMs >= graceMs
  if (truth === null)
    return isOverInBin(known, nowMs) || (mayGo && orphanPolicy === 'purge') ? null : 'is gone before its time'
  if (known.binnedAtMs !== null) {
    if (truth.binnedAt === null) return 'left the bin by itself'
  } else if (truth.binnedAt !== null && !(mayGo && orphanPolicy !== 'purge')) return 'was binned before its time'
  const present = new Set(truth.references.map(({ id }) => id))
  for (const [id, { kind, expiresAtMs }] of known.references)
    if (!present.has(id) && !(kind === 'temporary' && expiresAtMs! <= nowMs)) return `lost its ${kind} reference`
  if (truth.referenceTotal > known.references.size) return 'has a reference that nobody made'
  const strong = truth.references.filter(({ kind }) => kind === 'strong').length
  return truth.refCount === strong ? null : `counts ${truth.refCount} references and has ${strong}`
}

function isOverInBin({ binnedAtMs }: KnownAsset, nowMs: number): boolean {
  return binnedAtMs !== null && nowMs - binnedAtMs >= BIN_MS
}
