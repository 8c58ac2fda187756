import { randomBytes } from 'node:crypto'

const MAX_SLUG_LENGTH = 48

/**
 * A new name for the path of a source: `live/`, what ASCII can say of its name, and eight hex digits of chance, so that equal names
 * do not meet. In lower case only: some file systems, where recordings are kept, tell no case apart.
 */
export function newPathName(name: string): string {
  return `live/${slugOf(name)}-${randomBytes(4).toString('hex')}`
}

/** Letters, digits and single hyphens; `stream` where nothing is left. */
export function slugOf(name: string): string {
  const slug = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{Mn}/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, MAX_SLUG_LENGTH)
    .replace(/^-+|-+$/g, '')
  return slug === '' ? 'stream' : slug
}
