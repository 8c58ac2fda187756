import { ListObjectsV2Command, type ListObjectsV2CommandOutput } from '@aws-sdk/client-s3'
import { unquote } from '../../object-store/s3-answers.ts'
import { compareUtf8, rolledUpIn } from '../engine/skip-scan.ts'
import type { ListPage, ListRequest } from '../engine/storage-engine.ts'
import { asked, type Upstream } from './upstream.ts'

/** Sorts after every other character. */
const LAST_CHARACTER = '\u{10ffff}'

type Named = { name: string; entry: ListPage['entries'][number] }

/**
 * See `StorageEngine.listObjects`. Stores do not agree on what comes after a name inside a common prefix, or which page is full; they
 * are asked so that it does not matter.
 */
export async function listUpstream({ s3, bucket }: Upstream, request: ListRequest): Promise<ListPage> {
  const { prefix = '', delimiter = '', after = '', limit } = request
  if (limit <= 0) return { entries: [], next: null }
  const rolledUp = rolledUpIn(after, prefix, delimiter)
  const told = rolledUp ?? after
  const startAfter = rolledUp === null ? after : rolledUp + LAST_CHARACTER
  const query = {
    Bucket: bucket,
    Prefix: prefix || undefined,
    Delimiter: delimiter || undefined,
    // Some servers take no other name here than one with the prefix.
    StartAfter: compareUtf8(after, prefix) < 0 ? undefined : startAfter || undefined
  }
  const named: Named[] = []
  let ContinuationToken: string | undefined
  do {
    const MaxKeys = limit - named.length
    const page = await asked(() => s3.send(new ListObjectsV2Command({ ...query, MaxKeys, ContinuationToken })))
    named.push(...namesOf(page).filter(({ name }) => compareUtf8(name, told) > 0))
    ContinuationToken = page.IsTruncated ? page.NextContinuationToken : undefined
  } while (ContinuationToken !== undefined && named.length < limit)
  named.sort((a, b) => compareUtf8(a.name, b.name))
  return {
    entries: named.map(({ entry }) => entry),
    next: ContinuationToken === undefined ? null : (named.at(-1)?.name ?? null)
  }
}

function namesOf({ Contents = [], CommonPrefixes = [] }: ListObjectsV2CommandOutput): Named[] {
  const objects = Contents.map(({ Key: key = '', Size: sizeBytes = 0, ETag, LastModified }) => {
    const lastModifiedMs = LastModified?.getTime() ?? 0
    return { name: key, entry: { object: { key, sizeBytes, etag: unquote(ETag), lastModifiedMs, checksum: null } } }
  })
  const prefixes = CommonPrefixes.map(({ Prefix = '' }) => ({ name: Prefix, entry: { prefix: Prefix } }))
  return [...objects, ...prefixes]
}
