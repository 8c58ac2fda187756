import type { MediaType } from './sniff-media.ts'

/**
 * What a file is, from its name and its content. Content wins, except where it says less than the name: side files are
 * all just text or bytes. `isWrong` when the name promises a picture or a film and the content is none.
 */
export function judgeContent(byName: MediaType, byContent: MediaType): { type: MediaType; isWrong: boolean } {
  const isMedia = (type: MediaType) => ['image', 'video', 'audio'].includes(type.kind)
  if (isMedia(byContent)) return { type: byContent, isWrong: false }
  if (isMedia(byName)) return { type: byName, isWrong: true }
  const saysNothing = ['application/octet-stream', 'text/plain'].includes(byContent.mimeType)
  const isKnown = byName.mimeType !== 'application/octet-stream'
  return { type: isKnown || saysNothing ? byName : byContent, isWrong: false }
}

/** What a name may add to what the content says: these are all just text, or an archive. */
const REFINED: Record<string, readonly string[]> = {
  'text/plain': ['text/csv', 'application/x-subrip', 'application/json'],
  'application/xml': ['application/vnd.google-earth.kml+xml'],
  'application/zip': ['application/vnd.google-earth.kmz']
}

/** What a file is by its content alone; the name only tells apart what no content does. */
export function typeByContent(byName: MediaType, byContent: MediaType): MediaType {
  return REFINED[byContent.mimeType]?.includes(byName.mimeType) ? byName : byContent
}
