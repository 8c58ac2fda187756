import { AppError } from '../errors.ts'

/** A page of a list; `nextCursor` is null on the last one. */
export interface Page<Item> {
  items: Item[]
  nextCursor: string | null
}

/**
 * The page of at most `limit` that `found` begins with; it was asked for one more, which tells that there is another page.
 * `cursorOf` names the place of its last item.
 */
export function pageFrom<Item>(found: readonly Item[], limit: number, cursorOf: (last: Item) => string): Page<Item> {
  const items = found.slice(0, limit)
  const last = items.at(-1)
  return { items, nextCursor: found.length > limit && last !== undefined ? cursorOf(last) : null }
}

/** For a cursor that no page came with. */
export function unknownCursor(): AppError {
  return new AppError('invalid_request', { in: 'query', issues: [{ path: 'cursor', message: 'unknown cursor' }] })
}
