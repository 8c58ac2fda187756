import type { Buckets } from './buckets.ts'
import type { IndexDatabase } from './index-database.ts'
import { checksumOfRow, type ObjectRow } from './object-rows.ts'
import { type ScanStart, skipScan } from './skip-scan.ts'
import type { ListPage, ListRequest } from './storage-engine.ts'

type ListedRow = Pick<
  ObjectRow,
  'key' | 'sizeBytes' | 'etag' | 'lastModifiedMs' | 'checksumAlgorithm' | 'checksumType' | 'checksumValue'
>

/** An upper bound for any key: SQLite sorts every blob after every text. */
export const AFTER_ALL_TEXT = Buffer.alloc(0)

/** Listing of objects in UTF-8 byte order. */
export class Listing {
  readonly #buckets: Buckets
  readonly #from
  readonly #after

  constructor(deps: { db: IndexDatabase; buckets: Buckets }) {
    this.#buckets = deps.buckets
    const rowsWhere = (comparison: '>' | '>=') =>
      deps.db.prepare<[number, string, string | Buffer], ListedRow>(
        `SELECT key, size_bytes AS sizeBytes, etag, last_modified_ms AS lastModifiedMs,
           checksum_algorithm AS checksumAlgorithm, checksum_type AS checksumType, checksum_value AS checksumValue
         FROM object WHERE bucket_id = ? AND key ${comparison} ? AND key < ? ORDER BY key`
      )
    this.#from = rowsWhere('>=')
    this.#after = rowsWhere('>')
  }

  /** See `StorageEngine.listObjects`. Raises `NoSuchBucket`. */
  list({ bucket, prefix = '', delimiter = '', after, limit }: ListRequest): ListPage {
    const bucketId = this.#buckets.idOf(bucket)
    const scan = ({ key, inclusive }: ScanStart, end: string | null) =>
      (inclusive ? this.#from : this.#after).iterate(bucketId, key, end ?? AFTER_ALL_TEXT)
    const page = skipScan({ prefix, delimiter, after: after ?? null, limit, scan, keyOf: (row: ListedRow) => row.key })
    const entries: ListPage['entries'] = page.entries.map((entry) => {
      if ('prefix' in entry) return entry
      const { key, sizeBytes, etag, lastModifiedMs } = entry.row
      return { object: { key, sizeBytes, etag, lastModifiedMs, checksum: checksumOfRow(entry.row) } }
    })
    const last = entries.at(-1)
    const next = page.more && last ? ('prefix' in last ? last.prefix : last.object.key) : null
    return { entries, next }
  }
}
