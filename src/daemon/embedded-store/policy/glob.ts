/** A pattern split into characters once, so that matching builds nothing from input. */
export type Glob = readonly string[]

/** Compiles a pattern in which `*` stands for any run of characters (also `/`) and `?` for exactly one. */
export function compileGlob(pattern: string): Glob {
  return Array.from(pattern.replace(/\*+/g, '*'))
}

/**
 * Whether the whole text matches. Only the latest `*` is ever revisited, so the work is bounded by pattern length times text
 * length whatever the pattern; no regular expression is involved.
 */
export function globMatches(glob: Glob, text: string): boolean {
  const characters = Array.from(text)
  let g = 0
  let t = 0
  let starAt = -1
  let starText = 0
  while (t < characters.length) {
    if (glob[g] === '*') {
      starAt = g++
      starText = t
    } else if (g < glob.length && (glob[g] === '?' || glob[g] === characters[t])) {
      g++
      t++
    } else if (starAt >= 0) {
      g = starAt + 1
      t = ++starText
    } else {
      return false
    }
  }
  while (glob[g] === '*') g++
  return g === glob.length
}
