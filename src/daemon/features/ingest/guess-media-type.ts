import type { assetKinds } from '../../../shared/api/assets.ts'

export type AssetKind = (typeof assetKinds)[number]

const TYPES: Record<string, [kind: AssetKind, mimeType: string]> = {
  jpg: ['image', 'image/jpeg'],
  jpeg: ['image', 'image/jpeg'],
  png: ['image', 'image/png'],
  dng: ['image', 'image/x-adobe-dng'],
  tif: ['image', 'image/tiff'],
  tiff: ['image', 'image/tiff'],
  heic: ['image', 'image/heic'],
  webp: ['image', 'image/webp'],
  gif: ['image', 'image/gif'],
  bmp: ['image', 'image/bmp'],
  mp4: ['video', 'video/mp4'],
  m4v: ['video', 'video/mp4'],
  mov: ['video', 'video/quicktime'],
  avi: ['video', 'video/x-msvideo'],
  mkv: ['video', 'video/x-matroska'],
  ts: ['video', 'video/mp2t'],
  mp3: ['audio', 'audio/mpeg'],
  m4a: ['audio', 'audio/mp4'],
  wav: ['audio', 'audio/wav'],
  srt: ['document', 'application/x-subrip'],
  txt: ['document', 'text/plain'],
  csv: ['document', 'text/csv'],
  json: ['document', 'application/json'],
  xml: ['document', 'application/xml'],
  kml: ['document', 'application/vnd.google-earth.kml+xml'],
  kmz: ['document', 'application/vnd.google-earth.kmz'],
  pdf: ['document', 'application/pdf'],
  zip: ['document', 'application/zip'],
  // Side files of surveying flights: time marks, raw satellite observations, corrections, laser scans.
  mrk: ['document', 'text/plain'],
  nav: ['document', 'text/plain'],
  obs: ['document', 'text/plain'],
  rtk: ['other', 'application/octet-stream'],
  las: ['other', 'application/vnd.las']
}

const FOLDERS: Record<AssetKind, string> = {
  image: 'images',
  video: 'videos',
  audio: 'audio',
  document: 'documents',
  other: 'others'
}

const ARCHIVE = 'archive/'

/** Folders of our own keys, one for each kind, and once more in the archive. */
export const pinnedFolders: readonly string[] = ['', ARCHIVE].flatMap((root) =>
  Object.values(FOLDERS).map((folder) => root + folder)
)

/** Kind and MIME type by the name alone, until somebody has looked into the file. */
export function guessMediaType(name: string): { kind: AssetKind; mimeType: string } {
  const extension = extensionOf(name)
  const [kind, mimeType] = Object.hasOwn(TYPES, extension)
    ? TYPES[extension]!
    : (['other', 'application/octet-stream'] as const)
  return { kind, mimeType }
}

/**
 * The key under which the bytes of blob `blobId` are kept for good: `{folder}/{yyyy}/{mm}/{dd}/{blobId}[.ext]`, by UTC date of
 * arrival. Controllers have no rights there.
 */
export function pinnedKey(
  blobId: string,
  name: string,
  arrivedAtMs: number,
  kind: AssetKind = guessMediaType(name).kind
): string {
  const date = new Date(arrivedAtMs).toISOString().slice(0, 10).replaceAll('-', '/')
  const extension = extensionOf(name)
  return `${FOLDERS[kind]}/${date}/${blobId}${extension === '' ? '' : `.${extension}`}`
}

const PINNED_KEY = new RegExp(
  `^(?:${pinnedFolders.join('|')})/\\d{4}/\\d\\d/\\d\\d/([0-9a-z]{26})(?:\\.[0-9a-z]{1,8})?$`
)

/** Whether a key is one that {@link pinnedKey} makes. */
export function isPinnedKey(key: string): boolean {
  return PINNED_KEY.test(key)
}

/** The blob that such a key was made for; undefined for other keys. */
export function blobIdOfPinnedKey(key: string): string | undefined {
  return PINNED_KEY.exec(key)?.[1]
}

/** Where bytes are kept: within reach, or under the prefix of the archive, which a bucket may keep on something cheaper. */
export type Tier = 'hot' | 'cold'

export function tierOfKey(key: string): Tier {
  return key.startsWith(ARCHIVE) ? 'cold' : 'hot'
}

/** The key of ours under which a blob that is kept at `blob.key` is kept in this tier. */
export function keyInTier(tier: Tier, blob: { id: string; key: string }, arrivedAtMs: number): string {
  const hotKey = isPinnedKey(blob.key) ? blob.key.replace(/^archive\//, '') : pinnedKey(blob.id, blob.key, arrivedAtMs)
  return tier === 'hot' ? hotKey : ARCHIVE + hotKey
}

/** Lower case, without the dot; empty when there is none that is fit for a key. */
function extensionOf(name: string): string {
  return /\.([A-Za-z0-9]{1,8})$/.exec(name)?.[1]?.toLowerCase() ?? ''
}
