import type { ListPage, ListRequest } from '../../engine/storage-engine.ts'
import { percentEncode, type QueryParameters } from '../request-target.ts'
import { invalidArgument } from '../s3-error.ts'
import { s3Document, type XmlNode } from '../xml-writer.ts'
import { quoted, xmlTime } from './object-headers.ts'
import { type Operation, onListing } from './operation.ts'

export const MAX_PAGE = 1000

export const listObjects: Operation = {
  name: 'ListObjects',
  method: 'GET',
  level: 'bucket',
  body: 'none',
  access: onListing('s3:ListBucket'),
  async handle(context) {
    const { query, bucket, engine, caller } = context
    const listing = parseListing(query)
    const marker = query.get('marker') ?? ''
    const page = await engine.listObjects({ bucket, ...listing.request, after: marker })
    const { encode } = listing
    const nextMarker = page.next !== null && listing.request.delimiter !== undefined ? encode(page.next) : undefined
    return {
      status: 200,
      body: s3Document('ListBucketResult', [
        ['Name', bucket],
        // Not encoded here: clients do not decode the prefix of a version 1 listing.
        ['Prefix', listing.prefix],
        ['Marker', encode(marker)],
        ['NextMarker', nextMarker],
        ['MaxKeys', listing.request.limit],
        ['Delimiter', listing.request.delimiter && encode(listing.request.delimiter)],
        ['EncodingType', listing.encodingType],
        ['IsTruncated', page.next !== null],
        ...entryNodes(page, encode, owner(caller.user.ownerId))
      ])
    }
  }
}

export const listObjectsV2: Operation = {
  name: 'ListObjectsV2',
  method: 'GET',
  level: 'bucket',
  subresources: ['list-type'],
  body: 'none',
  access: onListing('s3:ListBucket'),
  async handle(context) {
    const { query, bucket, engine, caller } = context
    if (query.get('list-type') !== '2') throw invalidArgument('list-type', query.get('list-type') ?? '')
    const listing = parseListing(query)
    const { encode } = listing
    const token = query.get('continuation-token')
    const startAfter = query.get('start-after')
    const after = token ? decodeToken(token) : (startAfter ?? '')
    const page = await engine.listObjects({ bucket, ...listing.request, after })
    return {
      status: 200,
      body: s3Document('ListBucketResult', [
        ['Name', bucket],
        ['Prefix', encode(listing.prefix)],
        ['StartAfter', startAfter === undefined ? undefined : encode(startAfter)],
        ['ContinuationToken', token],
        ['NextContinuationToken', page.next === null ? undefined : encodeToken(page.next)],
        ['KeyCount', page.entries.length],
        ['MaxKeys', listing.request.limit],
        ['Delimiter', listing.request.delimiter && encode(listing.request.delimiter)],
        ['EncodingType', listing.encodingType],
        ['IsTruncated', page.next !== null],
        ...entryNodes(page, encode, query.get('fetch-owner') === 'true' ? owner(caller.user.ownerId) : undefined)
      ])
    }
  }
}

/** Every object has exactly one version, called `null`; clients that empty a bucket page through this list. */
export const listObjectVersions: Operation = {
  name: 'ListObjectVersions',
  method: 'GET',
  level: 'bucket',
  subresources: ['versions'],
  body: 'none',
  access: onListing('s3:ListBucketVersions'),
  async handle({ query, bucket, engine, caller }) {
    const listing = parseListing(query)
    const { encode } = listing
    const keyMarker = query.get('key-marker') ?? ''
    const page = await engine.listObjects({ bucket, ...listing.request, after: keyMarker })
    const versions = page.entries.map((entry): XmlNode => {
      if ('prefix' in entry) return ['CommonPrefixes', [['Prefix', encode(entry.prefix)]]]
      const { key, etag, sizeBytes, lastModifiedMs } = entry.object
      return [
        'Version',
        [
          ['Key', encode(key)],
          ['VersionId', 'null'],
          ['IsLatest', true],
          ['LastModified', xmlTime(lastModifiedMs)],
          ['ETag', quoted(etag)],
          ['Size', sizeBytes],
          owner(caller.user.ownerId),
          ['StorageClass', 'STANDARD']
        ]
      ]
    })
    return {
      status: 200,
      body: s3Document('ListVersionsResult', [
        ['Name', bucket],
        ['Prefix', encode(listing.prefix)],
        ['KeyMarker', encode(keyMarker)],
        ['VersionIdMarker', query.get('version-id-marker') ?? ''],
        ['NextKeyMarker', page.next === null ? undefined : encode(page.next)],
        ['NextVersionIdMarker', page.next === null ? undefined : 'null'],
        ['MaxKeys', listing.request.limit],
        ['Delimiter', listing.request.delimiter && encode(listing.request.delimiter)],
        ['EncodingType', listing.encodingType],
        ['IsTruncated', page.next !== null],
        ...versions
      ])
    }
  }
}

interface Listing {
  request: Omit<ListRequest, 'bucket' | 'after'>
  prefix: string
  encodingType: string | undefined
  /** Applies `encoding-type` to a name. */
  encode: (name: string) => string
}

function parseListing(query: QueryParameters): Listing {
  const prefix = query.get('prefix') ?? ''
  const { encodingType, encode } = parseEncodingType(query)
  return {
    request: {
      prefix,
      // An empty delimiter means the same as none.
      delimiter: query.get('delimiter') || undefined,
      limit: parsePageSize(query, 'max-keys')
    },
    prefix,
    encodingType,
    encode
  }
}

/** @throws S3Error InvalidArgument for an encoding other than `url` */
export function parseEncodingType(query: QueryParameters): Pick<Listing, 'encodingType' | 'encode'> {
  const encodingType = query.get('encoding-type') || undefined
  if (encodingType !== undefined && encodingType !== 'url')
    throw invalidArgument('encoding-type', encodingType, 'Invalid encoding method specified in the request.')
  const encode = (name: string) => (encodingType === undefined ? name : name.split('/').map(percentEncode).join('/'))
  return { encodingType, encode }
}

/**
 * A page size parameter: 1000 when absent, larger ones are cut to 1000.
 * @throws S3Error InvalidArgument for anything but a non-negative integer
 */
export function parsePageSize(query: QueryParameters, name: string): number {
  const value = query.get(name)
  if (value === undefined || value === '') return MAX_PAGE
  if (!/^\d{1,10}$/.test(value)) throw invalidArgument(name, value, `Provided ${name} is not a non-negative integer.`)
  return Math.min(Number(value), MAX_PAGE)
}

/** The Owner element; identity and display name are the same here. */
export function owner(ownerId: string, element = 'Owner'): XmlNode {
  return [
    element,
    [
      ['ID', ownerId],
      ['DisplayName', ownerId]
    ]
  ]
}

function entryNodes(page: ListPage, encode: (name: string) => string, ownerNode: XmlNode | undefined): XmlNode[] {
  const objects: XmlNode[] = []
  const prefixes: XmlNode[] = []
  for (const entry of page.entries) {
    if ('prefix' in entry) {
      prefixes.push(['CommonPrefixes', [['Prefix', encode(entry.prefix)]]])
      continue
    }
    const { key, etag, sizeBytes, lastModifiedMs, checksum } = entry.object
    objects.push([
      'Contents',
      [
        ['Key', encode(key)],
        ['LastModified', xmlTime(lastModifiedMs)],
        ['ETag', quoted(etag)],
        ['ChecksumAlgorithm', checksum?.algorithm],
        ['ChecksumType', checksum?.type],
        ['Size', sizeBytes],
        ...(ownerNode === undefined ? [] : [ownerNode]),
        ['StorageClass', 'STANDARD']
      ]
    ])
  }
  return [...objects, ...prefixes]
}

const TOKEN_VERSION = '1'

function encodeToken(after: string): string {
  return TOKEN_VERSION + Buffer.from(after, 'utf8').toString('base64url')
}

function decodeToken(token: string): string {
  const after = Buffer.from(token.slice(1), 'base64url').toString('utf8')
  if (encodeToken(after) !== token)
    throw invalidArgument('continuation-token', token, 'The continuation token provided is incorrect.')
  return after
}
