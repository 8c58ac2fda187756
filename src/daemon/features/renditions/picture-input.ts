import { judgeContent } from '../../media/judge-content.ts'
import { makePoster } from '../../media/make-poster.ts'
import { MediaError } from '../../media/media-error.ts'
import { sniffFile } from '../../media/sniff-media.ts'
import type { RenditionSource } from './renditions.repository.ts'

/**
 * What pictures of an asset are made from: the photo itself, or a frame of the film. Goes by the content. Raises
 * `MediaError`.
 */
export async function pictureInput(options: {
  filePath: string
  source: RenditionSource
  ffmpegPath: string | null
  signal: AbortSignal
}): Promise<string | Buffer> {
  const { filePath, source, ffmpegPath, signal } = options
  const { type, isWrong } = judgeContent(source, await sniffFile(filePath))
  if (isWrong) throw new MediaError('unreadable', `the content is not ${type.mimeType}`)
  if (type.kind === 'image') return filePath
  if (type.kind !== 'video') throw new MediaError('unsupported_type', `there are no previews of ${type.mimeType}`)
  return makePoster({ filePath, ffmpegPath, durationMs: source.durationMs, signal })
}
