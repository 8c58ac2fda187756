import type { Database } from '../../db/database.ts'
import { type FilterName, wordsOf } from './asset-filters.ts'
import type { AssetQuery } from './asset-search.ts'

/** More than these are not few: then it is quicker to look at assets one by one until a page is full. */
const FEW = 5000

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

  constructor(db: Database) {
    this.#db = db
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

  #byText({ text }: AssetQuery): number[] | undefined {
    const parts = wordsOf(text).map((word) => this.#termsOf(word))
    if (parts.includes('none')) return []
    const match = parts.filter((part) => part !== 'many').map((part) => `(${part})`)
    if (match.length === 0) return undefined
    return this.#atMostFew('SELECT rowid FROM asset_name WHERE asset_name MATCH ?', match.join(' AND '))
  }

  /** What a name with this word has in the index, as FTS5 asks for it; `none` where no name can have it. */
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
      .prepare<unknown[]>(`${sql} LIMIT ${FEW + 1}`)
      .pluck()
      .all(...values) as number[]
    return found.length > FEW ? undefined : [...new Set(found)]
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
