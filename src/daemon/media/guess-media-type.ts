import type { assetKinds } from '../../shared/api/assets.ts'

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

/** Kind and MIME type by the name alone, until somebody has looked into the file. */
export function guessMediaType(name: string): { kind: AssetKind; mimeType: string } {
  const extension = extensionOf(name)
  const [kind, mimeType] = Object.hasOwn(TYPES, extension)
    ? TYPES[extension]!
    : (['other', 'application/octet-stream'] as const)
  return { kind, mimeType }
}

/** Lower case, without the dot; empty when there is none of up to eight letters and digits. */
export function extensionOf(name: string): string {
  return /\.([A-Za-z0-9]{1,8})$/.exec(name)?.[1]?.toLowerCase() ?? ''
}
