import { createHash } from 'node:crypto'
import type { Database } from './db/database.ts'
import { newId } from './ids.ts'
import { type AssetKind, extensionOf, guessMediaType } from './media/guess-media-type.ts'

const KIND_FOLDERS: Record<AssetKind, string> = {
  image: 'images',
  video: 'videos',
  audio: 'audio',
  document: 'documents',
  other: 'others',
  stream: 'others'
}
const FOLDERS = new Set(Object.values(KIND_FOLDERS))
const ARCHIVE = 'archive'
const RENDITIONS = 'renditions'
const CACHED_REMOTE = 'cached_remote'
const INCOMING = 'incoming'
const HEALTH = '.health'
const OWN = '.flightcase'
/** The folder of controllers, who name their objects themselves. */
export const UPLOADS = 'media'

const OWN_FOLDERS = [...FOLDERS, ARCHIVE, RENDITIONS, CACHED_REMOTE, INCOMING, HEALTH, OWN]
/** S3 allows keys of 1024 bytes; what we put behind the prefix is far below the other half. */
const MAX_PREFIX_BYTES = 512

/** Where bytes are kept: within reach, or under the prefix of the archive, which a bucket may keep on something cheaper. */
export type Tier = 'hot' | 'cold'

/**
 * Makes every key that is not a controller's, below a prefix where one is set. Rows have whole keys, so another prefix changes
 * where new objects go and nothing else.
 */
export class ObjectKeys {
  readonly #root: string
  readonly #roots: readonly string[]

  /** `root` is empty or ends in a slash, as do `roots`: all that keys were ever made with. */
  constructor(root = '', roots: readonly string[] = [root]) {
    this.#root = root
    this.#roots = roots
  }

  /**
   * The key under which the bytes of blob `blobId` are kept for good: `{folder}/{yyyy}/{mm}/{dd}/{blobId}[.ext]`, by UTC date of
   * arrival. Controllers have no rights there.
   */
  pinned(blobId: string, name: string, arrivedAtMs: number, kind: AssetKind = guessMediaType(name).kind): string {
    return this.#root + pinnedPlace(blobId, name, arrivedAtMs, kind)
  }

  /** The key of ours under which a blob that is kept at `blob.key` is kept in this tier. */
  inTier(tier: Tier, blob: { id: string; key: string }, arrivedAtMs: number): string {
    const place =
      PINNED_KEY.exec(blob.key)?.groups?.['place'] ??
      pinnedPlace(blob.id, blob.key, arrivedAtMs, guessMediaType(blob.key).kind)
    return this.#root + (tier === 'hot' ? '' : `${ARCHIVE}/`) + place
  }

  /** Folders of pinned keys, each ending in a slash: one for each kind, and once more in the archive. Former prefixes count. */
  get pinnedFolders(): string[] {
    return this.#roots.flatMap((root) =>
      [root, `${root}${ARCHIVE}/`].flatMap((tier) => Array.from(FOLDERS, (folder) => `${tier}${folder}/`))
    )
  }

  /** Where the bytes of an upload come to lie that takes more than one call. */
  incoming(uploadId: string): string {
    return `${this.#root}${INCOMING}/${uploadId}`
  }

  rendition(assetId: string, file: string): string {
    return `${this.#root}${RENDITIONS}/${assetId}/${file}`
  }

  /** Everything made of an asset lies below these prefixes: the present one and former ones. */
  renditionFolders(assetId: string): string[] {
    return this.#roots.map((root) => `${root}${RENDITIONS}/${assetId}/`)
  }

  /** A key for what is fetched from `url`, at which nothing was stored before: what is read meanwhile stays as it is. */
  cachedRemote(url: string): string {
    return `${this.#root}${CACHED_REMOTE}/${createHash('sha256').update(url).digest('hex')}/${newId()}`
  }

  /** A new key to try out whether the store works. */
  health(): string {
    return `${this.#root}${HEALTH}/${newId()}`
  }
}

/** Where a store of others keeps the id that it is known by; `root` as for {@link ObjectKeys}. */
export function storeIdKey(root: string): string {
  return `${root}${OWN}/store-id`
}

/** Keys for this catalogue, from now on below `prefix`. What was made with another one before is looked after all the same. */
export function openObjectKeys(db: Database, prefix: string | null): ObjectKeys {
  const root = prefix === null ? '' : `${prefix}/`
  db.prepare('INSERT OR IGNORE INTO object_root (prefix) VALUES (?)').run(root)
  const roots = db.prepare<unknown[], { prefix: string }>('SELECT prefix FROM object_root ORDER BY prefix').all()
  return new ObjectKeys(
    root,
    roots.map((row) => row.prefix)
  )
}

/** Below whatever prefix; the keys of controllers may look as they like. */
const PINNED_KEY = new RegExp(
  `^(?!${UPLOADS}/)(?:.+?/)??(?<archive>${ARCHIVE}/)?(?<place>(?:${[...FOLDERS].join('|')})/` +
    '\\d{4}/\\d\\d/\\d\\d/(?<blobId>[0-9a-z]{26})(?:\\.[0-9a-z]{1,8})?)$'
)
const RENDITION_KEY = new RegExp(`^(?!${UPLOADS}/)(?:.+/)?${RENDITIONS}/([^/]+)/[^/]+$`)

/** Whether a key is one that {@link ObjectKeys.pinned} makes, with this prefix or another. */
export function isPinnedKey(key: string): boolean {
  return PINNED_KEY.test(key)
}

/** The blob that such a key was made for; undefined for other keys. */
export function blobIdOfPinnedKey(key: string): string | undefined {
  return PINNED_KEY.exec(key)?.groups?.['blobId']
}

/** The column `tier` of the table `blob` says the same. */
export function tierOfKey(key: string): Tier {
  return PINNED_KEY.exec(key)?.groups?.['archive'] === undefined ? 'hot' : 'cold'
}

/** The asset that a rendition is made of; undefined for other keys. */
export function assetIdOfRendition(key: string): string | undefined {
  return RENDITION_KEY.exec(key)?.[1]
}

/** Why a text cannot stand before keys; null when it can. */
export function prefixProblem(prefix: string): string | null {
  const parts = prefix.split('/')
  if (parts.includes('')) return 'must not begin or end with a slash, nor have two in a row'
  if (parts.includes('.') || parts.includes('..')) return 'must not have . or .. as a part'
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (!prefix.isWellFormed() || /[\u0000-\u001f\u007f-\u009f\\]/.test(prefix))
    return 'must not have control characters or backslashes'
  if (Buffer.byteLength(prefix) > MAX_PREFIX_BYTES) return `must have at most ${MAX_PREFIX_BYTES} bytes`
  if (parts[0] === UPLOADS) return `must not begin with ${UPLOADS}: what is below it belongs to the controllers`
  const taken = parts.find((part) => OWN_FOLDERS.includes(part))
  return taken === undefined ? null : `must not have ${taken} as a part: Flightcase makes a folder of that name itself`
}

function pinnedPlace(blobId: string, name: string, arrivedAtMs: number, kind: AssetKind): string {
  const date = new Date(arrivedAtMs).toISOString().slice(0, 10).replaceAll('-', '/')
  const extension = extensionOf(name)
  return `${KIND_FOLDERS[kind]}/${date}/${blobId}${extension === '' ? '' : `.${extension}`}`
}
