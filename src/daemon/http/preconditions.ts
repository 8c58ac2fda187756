import type { IncomingHttpHeaders } from 'node:http'

/** What tells one version of a file from another. `etag` is strong, with its quotes. */
export interface Validators {
  etag: string
  lastModifiedMs: number
}

/**
 * Judges the conditions of a GET or HEAD in the order of RFC 9110 §13.2.2: `failed` asks for 412, `not_modified` for 304. Conditions
 * that are no valid dates count as not given (§13.1.3).
 */
export function judgePreconditions(
  headers: IncomingHttpHeaders,
  { etag, lastModifiedMs }: Validators
): 'met' | 'failed' | 'not_modified' {
  const ifMatch = headers['if-match']
  if (ifMatch !== undefined) {
    if (!listsEtag(ifMatch, etag)) return 'failed'
  } else if (isLater(lastModifiedMs, headers['if-unmodified-since'])) return 'failed'
  const ifNoneMatch = headers['if-none-match']
  if (ifNoneMatch !== undefined) return listsEtag(ifNoneMatch.replaceAll('W/', ''), etag) ? 'not_modified' : 'met'
  return isLater(lastModifiedMs, headers['if-modified-since']) === false ? 'not_modified' : 'met'
}

/** A range counts only for the version the client already holds part of: its entity tag, or exactly its date (RFC 9110 §13.1.5). */
export function rangeCounts(headers: IncomingHttpHeaders, { etag, lastModifiedMs }: Validators): boolean {
  const ifRange = headers['if-range']?.toString()
  return ifRange === undefined || ifRange === etag || parseHttpDate(ifRange) === wholeSeconds(lastModifiedMs) * 1000
}

/** Strong comparison (RFC 9110 §8.8.3.2): a tag that is marked weak never matches. */
function listsEtag(list: string, etag: string): boolean {
  return list.split(',').some((item) => item.trim() === '*' || item.trim() === etag)
}

/** Undefined when there is no date to compare with. */
function isLater(lastModifiedMs: number, date: string | undefined): boolean | undefined {
  const atMs = parseHttpDate(date)
  return atMs === undefined ? undefined : wholeSeconds(lastModifiedMs) * 1000 > atMs
}

/** The three forms of RFC 9110 §5.6.7. `Date.parse` alone finds a date in almost anything. */
const HTTP_DATE =
  /^[A-Z][a-z]{2,8}(, \d\d[ -][A-Z][a-z]{2}[ -](\d\d){1,2} [\d:]{8} GMT| [A-Z][a-z]{2} [ \d]\d [\d:]{8} \d{4})$/

/** All forms are of UTC; the one of C's asctime() does not say so. */
function parseHttpDate(text = ''): number | undefined {
  const atMs = HTTP_DATE.test(text) ? Date.parse(text.endsWith('GMT') ? text : `${text} GMT`) : Number.NaN
  return Number.isNaN(atMs) ? undefined : atMs
}

/** HTTP dates have no fractions. */
const wholeSeconds = (ms: number) => Math.floor(ms / 1000)
