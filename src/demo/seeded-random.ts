/** A small repeatable random source (mulberry32): the same seed gives the same sequence on every machine. */
export type SeededRandom = {
  /** The next number in [0, 1). */
  next(): number
  /** The next number in [low, high). */
  between(low: number, high: number): number
  /** The next whole number in [low, high]. */
  integer(low: number, high: number): number
}

/** Starts a repeatable random sequence. Different `label`s of one seed give unrelated sequences. */
export function seededRandom(seed: number, label = ''): SeededRandom {
  let state = seed >>> 0
  for (const char of label) state = Math.imul(state ^ char.codePointAt(0)!, 0x01000193) >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    next,
    between: (low, high) => low + next() * (high - low),
    integer: (low, high) => Math.floor(low + next() * (high - low + 1))
  }
}
