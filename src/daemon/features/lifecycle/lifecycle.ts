/** Where an asset is in its life, and what decides how it goes on. Times are epoch milliseconds. */
export interface Lifecycle {
  /** How many strong references hold it; those of a binned asset wait for its return. */
  refCount: number
  /** Since when nothing holds it: the grace period counts from here. Null while something does, and in the archive. */
  pendingSinceMs: number | null
  /** Since when it is in the archive: the time that it stays there counts from here. Null when it is not. */
  archivedAtMs: number | null
  /** Null while it is not in the bin. */
  binnedAtMs: number | null
}

export type LifecycleState = 'pending_reference' | 'active' | 'binned'

/** The state that follows. */
export function stateOf({ refCount, binnedAtMs }: Lifecycle): LifecycleState {
  if (binnedAtMs !== null) return 'binned'
  return refCount > 0 ? 'active' : 'pending_reference'
}

/** An asset that has just arrived, with so many strong references. */
export function arrived(refCount: number, nowMs: number): Lifecycle {
  return { refCount, pendingSinceMs: refCount > 0 ? null : nowMs, archivedAtMs: null, binnedAtMs: null }
}

/** Strong references came (`change` > 0) or went. Throws `RangeError` when more would go than there are. */
export function withStrongReferences(life: Lifecycle, change: number, nowMs: number): Lifecycle {
  const refCount = life.refCount + change
  if (refCount < 0) throw new RangeError(`${life.refCount} strong references cannot lose ${-change}`)
  if (refCount > 0) return { ...life, refCount, pendingSinceMs: null, archivedAtMs: null }
  return { ...life, refCount, pendingSinceMs: life.archivedAtMs === null ? (life.pendingSinceMs ?? nowMs) : null }
}

/** Nothing held it for the grace period: it stays, out of the way. */
export function archived(life: Lifecycle, nowMs: number): Lifecycle {
  return { ...life, pendingSinceMs: null, archivedAtMs: nowMs }
}

/** Into the bin; it keeps the time when it is there already. */
export function binned(life: Lifecycle, nowMs: number): Lifecycle {
  return { ...life, binnedAtMs: life.binnedAtMs ?? nowMs }
}

/** Back from the bin, as it was; what nothing holds gets a new grace period, also where it came from the archive. */
export function restored(life: Lifecycle, nowMs: number): Lifecycle {
  return { ...life, binnedAtMs: null, archivedAtMs: null, pendingSinceMs: life.refCount > 0 ? null : nowMs }
}
