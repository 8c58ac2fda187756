/** Where to continue in key order: strictly after a key, or at a key and beyond. */
export type ScanStart = { key: string; inclusive: boolean }

export type SkipScanRequest<Row> = {
  prefix: string
  /** Empty for none. */
  delimiter: string
  after: string | null
  limit: number
  /** Rows in ascending key order, from `start` and (when not null) before the key `end`. */
  scan: (start: ScanStart, end: string | null) => Iterable<Row>
  keyOf: (row: Row) => string
}
export type SkipScanPage<Row> = { entries: ({ row: Row } | { prefix: string })[]; more: boolean }

/**
 * One page of a listing with common prefixes. After a common prefix it jumps over everything below it instead of reading
 * those rows, so that a page costs as many index look-ups as it has entries.
 */
export function skipScan<Row>(request: SkipScanRequest<Row>): SkipScanPage<Row> {
  const { prefix, delimiter, after, limit, scan, keyOf } = request
  const end = successorOf(prefix)
  const entries: SkipScanPage<Row>['entries'] = []
  if (limit <= 0) return { entries, more: false }
  let start = firstStart(prefix, delimiter, after)
  while (start) {
    let next: ScanStart | null = null
    for (const row of scan(start, end)) {
      if (entries.length === limit) return { entries, more: true }
      const common = commonPrefixOf(keyOf(row), prefix, delimiter)
      if (common === null) {
        entries.push({ row })
        continue
      }
      entries.push({ prefix: common })
      const beyond = successorOf(common)
      next = beyond === null ? null : { key: beyond, inclusive: true }
      break
    }
    start = next
  }
  return { entries, more: false }
}

/**
 * The smallest text that sorts after everything beginning with `prefix`, in code point order (which is UTF-8 byte order);
 * null when there is none.
 */
export function successorOf(prefix: string): string | null {
  const codePoints = Array.from(prefix, (character) => character.codePointAt(0) ?? 0)
  for (let last = codePoints.pop(); last !== undefined; last = codePoints.pop()) {
    if (last === 0x10ffff) continue
    // U+D800…U+DFFF are no characters.
    codePoints.push(last === 0xd7ff ? 0xe000 : last + 1)
    return codePoints.map((codePoint) => String.fromCodePoint(codePoint)).join('')
  }
  return null
}

/** `key` cut after the first delimiter behind `prefix`; null when there is none. */
function commonPrefixOf(key: string, prefix: string, delimiter: string): string | null {
  if (delimiter === '') return null
  const at = key.indexOf(delimiter, prefix.length)
  return at < 0 ? null : key.slice(0, at + delimiter.length)
}

function firstStart(prefix: string, delimiter: string, after: string | null): ScanStart | null {
  if (after === null || compareUtf8(after, prefix) < 0) return { key: prefix, inclusive: true }
  const rolledUp = rolledUpIn(after, prefix, delimiter)
  if (rolledUp === null) return { key: after, inclusive: false }
  // The common prefix itself does not sort after `after`, so nothing below it is due any more.
  const beyond = successorOf(rolledUp)
  return beyond === null ? null : { key: beyond, inclusive: true }
}

/** The common prefix that takes in `after` in a listing with these; null: none does. */
export function rolledUpIn(after: string, prefix: string, delimiter: string): string | null {
  return after.startsWith(prefix) ? commonPrefixOf(after, prefix, delimiter) : null
}

export function compareUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
