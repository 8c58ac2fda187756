const SLICE_MS = 3

/**
 * Repeats `step` for a few milliseconds: a transaction of long bookkeeping that lets others have their turn after it. `step`
 * (some tenths of a millisecond) says whether there is more to do; so does the slice.
 */
export function slice(step: () => boolean): boolean {
  const endMs = performance.now() + SLICE_MS
  do if (!step()) return false
  while (performance.now() < endMs)
  return true
}
