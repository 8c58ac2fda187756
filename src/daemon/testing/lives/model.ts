import type { AssetDetail } from '../../../shared/api/assets.ts'
import type { Reference } from '../../../shared/api/references.ts'

/** A holder has at most one reference of a kind. */
export interface KnownReference {
  /** Null while it is only expected. */
  id: string | null
  kind: Reference['kind']
  owner: string | null
  expiresAtMs: number | null
}

/** An asset as an outsider knows it. Times are epoch milliseconds by the clock of the base. */
export interface KnownAsset {
  id: string
  content: number
  references: KnownReference[]
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
  return asset.references.some(
    ({ kind, expiresAtMs }) => kind === 'strong' || (kind === 'temporary' && expiresAtMs! > nowMs)
  )
}

export function isSame(a: Pick<KnownReference, 'kind' | 'owner'>, b: Pick<KnownReference, 'kind' | 'owner'>): boolean {
  return a.kind === b.kind && a.owner === b.owner
}

/** What is known of an asset after it was looked at. */
export function learned(known: KnownAsset, truth: AssetDetail | null, nowMs: number): KnownAsset {
  if (truth === null) return { ...known, isGone: true }
  const binnedAtMs = truth.binnedAt === null ? null : Date.parse(truth.binnedAt)
  const wasHeld = known.references.some(({ kind }) => kind === 'strong')
  const isBack = known.binnedAtMs !== null && binnedAtMs === null
  return {
    ...known,
    binnedAtMs,
    heldUntilMs: wasHeld || truth.refCount > 0 || isBack ? nowMs : known.heldUntilMs,
    references: truth.references.map(({ id, kind, owner, expiresAt }) => ({
      ...{ id, kind, owner },
      expiresAtMs: expiresAt === null ? null : Date.parse(expiresAt)
    }))
  }
}

/**
 * What is wrong when `truth` is what became of an asset that was as it is known: the base by itself drops references whose time
 * is over, bins what nothing holds after the grace period, and purges after the time in the bin.
 */
export function faultOf(
  known: KnownAsset,
  truth: AssetDetail | null,
  nowMs: number,
  orphanPolicy: OrphanPolicy
): string | null {
  if (known.isGone) return truth === null ? null : 'is there, and should be gone'
  const mayGo = isOrphan(known, nowMs, orphanPolicy)
  if (truth === null)
    return isOverInBin(known, nowMs) || (mayGo && orphanPolicy === 'purge') ? null : 'is gone before its time'
  if (truth.damage !== null) return 'is said to be damaged'
  if (known.binnedAtMs !== null) {
    if (truth.binnedAt === null) return 'is not in the bin'
    if (Date.parse(truth.binnedAt) !== known.binnedAtMs) return 'is in the bin since another time'
  } else if (truth.binnedAt !== null && !(mayGo && orphanPolicy !== 'purge')) return 'was binned before its time'
  return faultOfReferences(known, truth, nowMs)
}

function faultOfReferences(known: KnownAsset, truth: AssetDetail, nowMs: number): string | null {
  for (const reference of known.references) {
    const { kind, expiresAtMs } = reference
    const found = truth.references.find((other) => isSame(reference, other))
    if (!found && !(kind === 'temporary' && expiresAtMs! <= nowMs)) return `lost its ${kind} reference`
    if (found && expiresAtMs !== null && Date.parse(found.expiresAt ?? '') !== expiresAtMs)
      return 'is held for another time'
  }
  const isKnown = (found: Reference) => known.references.some((reference) => isSame(reference, found))
  if (!truth.references.every(isKnown)) return 'has a reference that nobody made'
  const strong = truth.references.filter(({ kind }) => kind === 'strong').length
  return truth.refCount === strong ? null : `counts ${truth.refCount} references and has ${strong}`
}

function isOrphan(known: KnownAsset, nowMs: number, orphanPolicy: OrphanPolicy): boolean {
  const graceMs = orphanPolicy === 'archive' ? GRACE_MS + ARCHIVE_MS : GRACE_MS
  return !holds(known, nowMs) && nowMs - known.heldUntilMs >= graceMs
}

/** Whether the base may take it away at any moment, also right before a call that names it. */
export function isDue(known: KnownAsset, nowMs: number, orphanPolicy: OrphanPolicy): boolean {
  return known.binnedAtMs === null ? isOrphan(known, nowMs, orphanPolicy) : isOverInBin(known, nowMs)
}

function isOverInBin({ binnedAtMs }: KnownAsset, nowMs: number): boolean {
  return binnedAtMs !== null && nowMs - binnedAtMs >= BIN_MS
}
