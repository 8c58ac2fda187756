import { Refusal } from './refusal.ts'

/** One page of a list; throws a 400 in the server's words for a page nobody can ask for. */
export function paginate<Item>(items: Item[], query: URLSearchParams) {
  const itemsPerPage = numberOf(query.get('itemsPerPage'), 100)
  if (itemsPerPage === 0) throw new Refusal(400, 'invalid items per page')
  const page = numberOf(query.get('page'), 0)
  return {
    itemCount: items.length,
    pageCount: Math.ceil(items.length / itemsPerPage),
    items: items.slice(page * itemsPerPage, (page + 1) * itemsPerPage)
  }
}

function numberOf(text: string | null, initial: number): number {
  if (text === null || text === '') return initial
  const refuse = (reason: string) => new Refusal(400, `strconv.ParseUint: parsing ${JSON.stringify(text)}: ${reason}`)
  if (!/^\d+$/.test(text)) throw refuse('invalid syntax')
  if (Number(text) >= 2 ** 31) throw refuse('value out of range')
  return Number(text)
}
