import { setImmediate as pause } from 'node:timers/promises'
import type { z } from 'zod'
import type { AssetSummary, listAssets } from '../../../shared/api/assets.ts'
import type { Database } from '../../db/database.ts'
import { type Page, pageFrom, unknownCursor } from '../../db/page.ts'
import type { WorkspaceScope } from '../../workspace-scope.ts'
import { type FilterName, filtersOf, type SqlPart } from './asset-filters.ts'
import { type AssetRow, summaryFromRow } from './assets.repository.ts'
import { type Few, FewAssets } from './few-assets.ts'

export type AssetQuery = z.output<NonNullable<(typeof listAssets)['query']>>

/** A place in a list: after the asset with this time and id. */
type Position = [timeMs: number, id: string]

/** A way through assets in the order of the list, newest first, along an index. */
interface Walk {
  /** The table, and the index to go along. */
  from: string
  /** How to come from there to the asset. */
  join?: string
  /** What the order is by. */
  time: string
  id: string
  /** What the index tells. */
  where: SqlPart[]
}

/** Index entries gone through at once; nobody waits longer than for these. */
const AT_ONCE = 5000
/** So often it is hoped that the page is full soon; then words are looked up, although many assets have them. */
const HOPEFUL_STEPS = 10

const IN_BIN: SqlPart = { sql: 'asset.binned_at_ms IS NOT NULL', values: [] }
const NOT_IN_BIN: SqlPart = { sql: 'asset.binned_at_ms IS NULL', values: [] }

/** Filters with an index in the order of the list; those that usually leave the fewest assets first. */
const INDEXES: [FilterName, string][] = [
  ['flightId', 'asset_by_flight'],
  ['damaged', 'asset_damaged'],
  ['moderation', 'asset_by_moderation'],
  ['day', 'asset_by_day'],
  ['tag', 'asset_tag_by_time'],
  ['deviceId', 'asset_by_device'],
  ['workspace', 'asset_of_workspace'],
  ['mimeType', 'asset_by_mime_type'],
  ['source', 'asset_by_source'],
  ['kind', 'asset_by_kind']
]

/** Finds assets among a million by any combination of filters, without keeping others waiting. */
export class AssetSearch {
  readonly #db: Database
  readonly #few: FewAssets
  readonly #atOnce: number

  constructor(db: Database, atOnce = AT_ONCE) {
    this.#db = db
    this.#few = new FewAssets(db, atOnce)
    this.#atOnce = atOnce
  }

  /**
   * One page of what is in `scope`, newest first by capture time (the bin: by time of binning); `signal` ends the search early.
   * Throws `invalid_request` for a bad cursor.
   */
  async list(query: AssetQuery, scope: WorkspaceScope, signal?: AbortSignal): Promise<Page<AssetSummary>> {
    const after: Position | null = query.cursor === undefined ? null : parseCursor(query.cursor)
    const few = this.#few.find(query)
    const rows = few ? this.#pick(few, query, scope, after) : await this.#walk(query, scope, after, signal)
    const { items, nextCursor } = pageFrom(rows, query.limit, (last) => `${last[timeColumn(query)]}_${last.id}`)
    return { items: items.map(summaryFromRow), nextCursor }
  }

  /** Those of the few that match, and one more than the page when there are more. */
  #pick({ numbers, known }: Few, query: AssetQuery, scope: WorkspaceScope, after: Position | null): AssetRow[] {
    const filters = filtersOf(query, scope)
    if (known) filters.delete(known)
    const time = `asset.${timeColumn(query)}`
    return this.#rows(
      {
        from: 'json_each(?) AS found CROSS JOIN asset_number ON number = found.value',
        join: 'CROSS JOIN asset ON asset.id = asset_id',
        time,
        id: 'asset.id',
        where: [{ sql: '1', values: [] }]
      },
      [
        query.bin ? IN_BIN : NOT_IN_BIN,
        ...timeRange('asset.taken_at_ms', query),
        ...filters.values(),
        ...positions(time, 'asset.id', { after })
      ],
      query.limit + 1,
      [JSON.stringify(numbers)]
    )
  }

  /** Goes along an index until the page is full, and one more asset found, or the end is reached. */
  async #walk(
    query: AssetQuery,
    scope: WorkspaceScope,
    after: Position | null,
    signal?: AbortSignal
  ): Promise<AssetRow[]> {
    const { walk, rest } = chooseWalk(query, scope)
    const rows: AssetRow[] = []
    for (let from = after, steps = 0; ; steps++) {
      const named = steps === HOPEFUL_STEPS ? this.#few.byWords(query) : undefined
      if (named) return [...rows, ...(await this.#newestOf(named, query, scope, from, query.limit + 1 - rows.length))]
      const until = rest.length === 0 ? null : this.#stepFrom(walk, from)
      const missing = query.limit + 1 - rows.length
      rows.push(...this.#rows(walk, [...rest, ...positions(walk.time, walk.id, { after: from, until })], missing))
      if (until === null || rows.length > query.limit || signal?.aborted) return rows
      from = until
      await pause()
    }
  }

  /** The first `limit` of those that match, from candidates in no order. */
  async #newestOf(
    candidates: Iterable<number[]>,
    query: AssetQuery,
    scope: WorkspaceScope,
    after: Position | null,
    limit: number
  ): Promise<AssetRow[]> {
    let newest: AssetRow[] = []
    for (const numbers of candidates) {
      newest.push(...this.#pick({ numbers }, query, scope, after))
      newest = newest.sort(newestFirst(timeColumn(query))).slice(0, limit)
      await pause()
    }
    return newest
  }

  /** The place so many entries further on; null when fewer are left. */
  #stepFrom({ from, time, id, where }: Walk, after: Position | null): Position | null {
    const conditions = [...where, ...positions(time, id, { after })]
    const row = this.#db.sql
      .prepare<unknown[], { time: number; id: string }>(
        `SELECT ${time} AS time, ${id} AS id FROM ${from} WHERE ${joined(conditions)}
         ORDER BY ${time} DESC, ${id} DESC LIMIT 1 OFFSET ${this.#atOnce - 1}`
      )
      .get(...valuesOf(conditions))
    return row ? [row.time, row.id] : null
  }

  #rows(walk: Walk, rest: SqlPart[], limit: number, first: unknown[] = []): AssetRow[] {
    const conditions = [...walk.where, ...rest]
    // Not kept compiled: there are more combinations than are worth it.
    return this.#db.sql
      .prepare<unknown[], AssetRow>(
        `SELECT asset.* FROM ${walk.from} ${walk.join ?? ''} WHERE ${joined(conditions)}
         ORDER BY ${walk.time} DESC, ${walk.id} DESC LIMIT ?`
      )
      .all(...first, ...valuesOf(conditions), limit)
  }
}

function timeColumn({ bin }: AssetQuery): 'binned_at_ms' | 'taken_at_ms' {
  return bin ? 'binned_at_ms' : 'taken_at_ms'
}

function newestFirst(time: 'binned_at_ms' | 'taken_at_ms'): (a: AssetRow, b: AssetRow) => number {
  return (a, b) => (b[time] ?? 0) - (a[time] ?? 0) || (a.id < b.id ? 1 : -1)
}

/** The index that leaves the fewest assets to look at, and what must hold besides. */
function chooseWalk(query: AssetQuery, scope: WorkspaceScope): { walk: Walk; rest: SqlPart[] } {
  const filters = filtersOf(query, scope)
  const asset = { time: `asset.${timeColumn(query)}`, id: 'asset.id' }
  if (query.bin)
    return {
      walk: { ...asset, from: 'asset INDEXED BY asset_in_bin', where: [IN_BIN] },
      rest: [...timeRange('asset.taken_at_ms', query), ...filters.values()]
    }
  // There is an index of what is damaged, not of what is not; and an order of one workspace, not of several.
  const isOrdered = (filter: FilterName): boolean =>
    !(filter === 'damaged' && query.damaged === false) && !(filter === 'workspace' && scope.length > 1)
  const [name, index] = INDEXES.find(([filter]) => filters.has(filter) && isOrdered(filter)) ?? [null, 'asset_by_time']
  const rest = [...filters].filter(([filter]) => filter !== name).map(([, part]) => part)
  if (name === 'tag')
    return {
      walk: {
        from: `asset_tag INDEXED BY ${index}`,
        join: 'CROSS JOIN asset ON asset.id = asset_tag.asset_id',
        time: 'asset_tag.taken_at_ms',
        id: 'asset_tag.asset_id',
        where: [{ sql: 'asset_tag.tag = ?', values: [query.tag] }, ...timeRange('asset_tag.taken_at_ms', query)]
      },
      rest: [NOT_IN_BIN, ...rest]
    }
  const told = name === null ? [] : [filters.get(name)!]
  return {
    walk: {
      ...asset,
      from: `asset INDEXED BY ${index}`,
      where: [NOT_IN_BIN, ...told, ...timeRange('asset.taken_at_ms', query)]
    },
    rest
  }
}

function timeRange(column: string, { takenFrom, takenBefore }: AssetQuery): SqlPart[] {
  return [
    ...(takenFrom === undefined ? [] : [{ sql: `${column} >= ?`, values: [Date.parse(takenFrom)] }]),
    ...(takenBefore === undefined ? [] : [{ sql: `${column} < ?`, values: [Date.parse(takenBefore)] }])
  ]
}

/** After one place and up to another, that one included. */
function positions(time: string, id: string, range: { after: Position | null; until?: Position | null }): SqlPart[] {
  return [
    ...(range.after ? [{ sql: `(${time}, ${id}) < (?, ?)`, values: range.after }] : []),
    ...(range.until ? [{ sql: `(${time}, ${id}) >= (?, ?)`, values: range.until }] : [])
  ]
}

function joined(conditions: SqlPart[]): string {
  return conditions.map(({ sql }) => sql).join(' AND ')
}

function valuesOf(conditions: SqlPart[]): unknown[] {
  return conditions.flatMap(({ values }) => values)
}

function parseCursor(cursor: string): Position {
  const match = /^(\d{1,15})_([0-9a-z]{26})$/.exec(cursor)
  if (!match) throw unknownCursor()
  return [Number(match[1]), match[2]!]
}
