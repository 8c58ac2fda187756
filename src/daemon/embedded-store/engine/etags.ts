/** The entity tag without its quotes. A weak tag comes back unchanged: it never equals a stored one. */
export function unquoteEtag(etag: string): string {
  const text = etag.trim()
  return text.length >= 2 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text
}

/**
 * Whether an `If-Match`-style field value (`*` or a list of entity tags) names `etag` (unquoted). Strong comparison, RFC 9110
 * §8.8.3.2; quotes are optional because S3 clients leave them out. Pass null when there is no object: nothing matches then.
 */
export function etagListMatches(fieldValue: string, etag: string | null): boolean {
  if (etag === null) return false
  return fieldValue.trim() === '*' || fieldValue.split(',').some((tag) => unquoteEtag(tag) === etag)
}
