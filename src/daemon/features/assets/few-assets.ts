import type { Database } from '../../db/database.ts'
import { type FilterName, wordsOf } from './asset-filters.ts'
import type { AssetQuery } from './asset-search.ts'

/** Terms that a beginning of one or two characters may stand for. */
const MAX_TERMS = 200

/** All assets, by their number (`asset_number`), that can match a query. */
export interface Few {
  numbers: number[]
  /** The filter that all of them do match. */
  known?: FilterName
}

/** What indexes without an order tell: which assets are the few that can match a filter. */
export class FewAssets {
  readonly #db: Database
  readonly #few: number

  /** More than `few` are not few: then it is quicker to look at assets one by one until a page is full. */
  constructor(db: Database, few: number) {
    this.#db = db
    this.#few = few
  }

  /** Undefined when no filter of the query says that they are few. */
  find(query: AssetQuery): Few | undefined {
    const candidates = this.#byText(query) ?? this.#byPlace(query)
    if (candidates) return { numbers: candidates }
    const twins = this.#byBytes(query)
    if (twins) return { numbers: twins, known: 'sha256' }
    const held = this.#byHolder(query)
    if (held) return { numbers: held, known: 'namespace' }
    const waiting = this.#waiting(query)
    return waiting && { numbers: waiting, known: 'state' }
  }

  /** All assets that can match the words of a query, few at a time; undefined when the words say nothing. */
  byWords(query: AssetQuery): Iterable<number[]> | undefined {
    const match = this.#matchOf(query)
    return match === undefined || match === 'none' ? undefined : this.#slicesOf(match)
  }

  *#slicesOf(match: string): Generator<number[]> {
    const slice = this.#db
      .prepare<unknown[]>('SELECT rowid FROM asset_name WHERE asset_name MATCH ? AND rowid > ? ORDER BY rowid LIMIT ?')
      .pluck()
    for (let last: number | undefined = 0; last !== undefined; ) {
      const numbers = slice.all(match, last, this.#few) as number[]
      if (numbers.length > 0) yield numbers
      last = numbers.at(-1)
    }
  }

  #byText(query: AssetQuery): number[] | undefined {
    const match = this.#matchOf(query)
    if (match === 'none') return []
    return match === undefined
      ? undefined
      : this.#atMostFew('SELECT rowid FROM asset_name WHERE asset_name MATCH ?', match)
  }

  /** What names that can match have in the index, as FTS5 asks for it; `none` where there is no such name, undefined where any is. */
  #matchOf({ text }: AssetQuery): string | undefined {
    const parts = wordsOf(text).map((word) => this.#termsOf(word))
    if (parts.includes('none')) return 'none'
    const told = parts.filter((part) => part !== 'many').map((part) => `(${part})`)
    return told.join(' AND ') || undefined
  }

  /** The same for one word; `many` where any name can have it. */
  #termsOf(word: string): string {
    const characters = [...word]
    if (characters.length > 2) return triplesOf(characters).map(quoted).join(' AND ')
    if (/^[!-~]$/.test(word)) return 'many'
    const beginning = word.toLowerCase()
    const terms = this.#db
      .prepare<unknown[], { term: string }>('SELECT term FROM asset_name_term WHERE term >= ? AND term < ? LIMIT ?')
      .all(beginning, `${beginning}\u{10ffff}`, MAX_TERMS + 1)
    if (terms.length > MAX_TERMS) return 'many'
    return terms.map(({ term }) => quoted(term)).join(' OR ') || 'none'
  }

  #byPlace({ bbox }: AssetQuery): number[] | undefined {
    if (!bbox) return undefined
    const { west, south, east, north } = bbox
    if (west > east) return undefined
    return this.#atMostFew(
      'SELECT number FROM asset_place WHERE south <= ? AND north >= ? AND west <= ? AND east >= ?',
      north,
      south,
      east,
      west
    )
  }

  #byBytes({ sha256 }: AssetQuery): number[] | undefined {
    if (sha256 === undefined) return undefined
    return this.#atMostFew(
      `SELECT number FROM asset INDEXED BY asset_by_blob CROSS JOIN asset_number ON asset_id = asset.id
       WHERE blob_id = (SELECT id FROM blob WHERE sha256 = ?)`,
      Buffer.from(sha256, 'hex')
    )
  }

  #byHolder({ namespace, owner }: AssetQuery): number[] | undefined {
    if (namespace === undefined) return undefined
    return this.#atMostFew(
      `SELECT number FROM reference INDEXED BY reference_by_owner CROSS JOIN asset_number USING (asset_id)
       WHERE namespace = ? ${owner === undefined ? '' : 'AND owner = ?'}`,
      namespace,
      ...(owner === undefined ? [] : [owner])
    )
  }

  #waiting({ state }: AssetQuery): number[] | undefined {
    if (state !== 'pending_reference') return undefined
    return this.#atMostFew(
      `SELECT number FROM asset INDEXED BY asset_pending CROSS JOIN asset_number ON asset_id = id
       WHERE state = 'pending_reference'`
    )
  }

  #atMostFew(sql: string, ...values: unknown[]): number[] | undefined {
    const found = this.#db
      .prepare<unknown[]>(`${sql} LIMIT ${this.#few + 1}`)
      .pluck()
      .all(...values) as number[]
    return found.length > this.#few ? undefined : [...new Set(found)]
  }
}

/** Every three characters, and the last three. The ones that overlap tell little more, and cost as much. */
function triplesOf(characters: string[]): string[] {
  const last = characters.length - 3
  const starts = Array.from({ length: Math.floor(last / 3) + 1 }, (_, index) => index * 3)
  return [...new Set([...starts, last])].map((start) => characters.slice(start, start + 3).join(''))
}

function quoted(term: string): string {
  return `"${term.replaceAll('"', '""')}"`
}
