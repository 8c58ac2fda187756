import { isSame, type KnownAsset, type KnownReference } from './model.ts'
import type { Operation } from './operations.ts'

export const ownerOf = (holder: number) => `owner-${holder}`
export const TEMPORARY_SECONDS = 20 * 3600

/**
 * The asset that a call names: one that the call suits, or (that must be refused) now and then any that ever was. Undefined while
 * there is none.
 */
export function pick(known: readonly KnownAsset[], n: number, isForBinned = false): KnownAsset | undefined {
  const suited = known.filter(({ isGone, binnedAtMs }) => !isGone && (binnedAtMs !== null) === isForBinned)
  const from = n % 4 === 0 || suited.length === 0 ? known : suited
  return from[n % from.length]
}

/** The reference of an asset that a call names; undefined while there is none. */
export function pickReference(asset: KnownAsset | undefined, n: number): KnownReference | undefined {
  return asset?.references[n % asset.references.length]
}

/**
 * What a call makes of each asset that it speaks of. One that must be refused leaves all of them as they are, and all calls leave
 * the others alone.
 */
export function effectsOf(
  operation: Operation,
  known: readonly KnownAsset[],
  nowMs: number
): Map<KnownAsset, KnownAsset> {
  const effects = new Map<KnownAsset, KnownAsset>()
  const effectOn = (n: number, effect: (asset: KnownAsset) => KnownAsset, isForBinned = false) => {
    const asset = pick(known, n, isForBinned)
    if (asset) effects.set(asset, asset.isGone ? asset : effect(asset))
  }
  switch (operation.do) {
    case 'refer': {
      const { kind, holder } = operation
      const expiresAtMs = kind === 'temporary' ? nowMs + TEMPORARY_SECONDS * 1000 : null
      effectOn(operation.asset, (asset) => referred(asset, { id: null, kind, owner: ownerOf(holder), expiresAtMs }))
      break
    }
    case 'refer to many': {
      const reference = { id: null, kind: 'strong', owner: ownerOf(operation.holder), expiresAtMs: null } as const
      const isRefused = operation.assets.some((n) => {
        const asset = pick(known, n)
        return !asset || asset.isGone || asset.binnedAtMs !== null
      })
      for (const n of operation.assets) effectOn(n, (asset) => (isRefused ? asset : referred(asset, reference)))
      break
    }
    case 'let go':
      effectOn(operation.asset, (asset) => {
        const reference = pickReference(asset, operation.reference)
        return reference ? without(asset, (other) => other === reference) : asset
      })
      break
    case 'let go of all':
      for (const asset of known)
        effects.set(asset, asset.isGone ? asset : without(asset, ({ owner }) => owner === ownerOf(operation.holder)))
      break
    case 'delete':
      effectOn(operation.asset, (asset) => deleted(asset, operation, nowMs))
      break
    case 'restore':
      effectOn(operation.asset, (asset) => ({ ...asset, binnedAtMs: null }), true)
      break
    case 'purge':
      effectOn(operation.asset, (asset) => ({ ...asset, isGone: asset.binnedAtMs !== null }), true)
      break
    case 'empty the bin':
      for (const asset of known) effects.set(asset, { ...asset, isGone: asset.isGone || asset.binnedAtMs !== null })
      break
    case 'quarantine':
      for (const asset of known) if (asset.content === operation.content) effects.set(asset, asset)
      break
  }
  return effects
}

function referred(asset: KnownAsset, reference: KnownReference): KnownAsset {
  if (asset.binnedAtMs !== null) return asset
  return { ...asset, references: [...asset.references.filter((other) => !isSame(reference, other)), reference] }
}

function without(asset: KnownAsset, isMeant: (reference: KnownReference) => boolean): KnownAsset {
  return { ...asset, references: asset.references.filter((reference) => !isMeant(reference)) }
}

/** While several hold an asset, a holder lets go of it, and nobody else can delete it. */
function deleted(asset: KnownAsset, { guard, holder }: Operation & { do: 'delete' }, nowMs: number): KnownAsset {
  if (asset.binnedAtMs !== null) return asset
  const strong = asset.references.filter(({ kind }) => kind === 'strong')
  const own = guard || holder === null ? null : strong.find(({ owner }) => owner === ownerOf(holder))
  if (own === undefined) return asset
  if (strong.length <= 1) return { ...asset, binnedAtMs: nowMs }
  return own === null ? asset : without(asset, (reference) => reference === own)
}
