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
