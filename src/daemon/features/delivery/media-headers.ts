import { contentDisposition } from '../../http/byte-range.ts'

/** Types that a browser shows in place. A drawing (SVG) may hold scripts; the sandbox keeps them from running. */
const SHOWN_IN_PLACE = /^(image\/(jpeg|png|webp|avif|gif|heic|heif|tiff|bmp|svg\+xml)|video\/[\w.+-]+|audio\/[\w.+-]+)$/
/** Whatever a file turns out to be, opened as a document it can run nothing and reach nobody. */
const LOCKED_IN = "sandbox; default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'unsafe-inline'"

/** How a file is presented so that it cannot act in our name: HTML, XML, PDF, scripts and unknown types are only ever saved. */
export function mediaHeaders(
  file: { name: string; mimeType: string },
  { download }: { download: boolean }
): { contentType: string; disposition: string; headers: Record<string, string> } {
  const isShown = !download && SHOWN_IN_PLACE.test(file.mimeType)
  const disposition = contentDisposition(isShown ? 'inline' : 'attachment', file.name)
  return {
    contentType: isShown ? file.mimeType : 'application/octet-stream',
    disposition,
    headers: { 'content-disposition': disposition, 'content-security-policy': LOCKED_IN }
  }
}
