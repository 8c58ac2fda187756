import type { assetKinds } from '../../shared/api/assets.ts'
import { withFileSource } from './byte-source.ts'

export type MediaType = {
  kind: (typeof assetKinds)[number]
  /** `application/octet-stream` when nothing is known. */
  mimeType: string
}

/** So many bytes from the start of a file are enough for {@link sniffMedia}. */
export const SNIFF_BYTES = 4096

/** Kind and MIME type of a file by its content; its name does not matter. Raises the file system's errors. */
export function sniffFile(filePath: string): Promise<MediaType> {
  return withFileSource(filePath, async (source) => sniffMedia(await source.read(0, SNIFF_BYTES)))
}

/** Kind and MIME type by the first {@link SNIFF_BYTES} bytes (fewer when the file is shorter). Never throws. */
export function sniffMedia(head: Buffer): MediaType {
  return (
    bySignature(head) ??
    riff(head) ??
    isoMedia(head) ??
    tiff(head) ??
    matroska(head) ??
    mpegTs(head) ??
    text(head) ?? { kind: 'other', mimeType: 'application/octet-stream' }
  )
}

const SIGNATURES: [hex: string, kind: MediaType['kind'], mimeType: string][] = [
  ['ffd8ff', 'image', 'image/jpeg'],
  ['89504e470d0a1a0a', 'image', 'image/png'],
  ['474946383761', 'image', 'image/gif'],
  ['474946383961', 'image', 'image/gif'],
  ['424d', 'image', 'image/bmp'],
  ['ff0a', 'image', 'image/jxl'],
  ['0000000c4a584c200d0a870a', 'image', 'image/jxl'],
  ['494433', 'audio', 'audio/mpeg'],
  ['fffb', 'audio', 'audio/mpeg'],
  ['fff1', 'audio', 'audio/aac'],
  ['fff9', 'audio', 'audio/aac'],
  ['664c6143', 'audio', 'audio/flac'],
  ['4f676753', 'audio', 'audio/ogg'],
  ['464c5601', 'video', 'video/x-flv'],
  ['000001ba', 'video', 'video/mpeg'],
  ['255044462d', 'document', 'application/pdf'],
  ['504b0304', 'document', 'application/zip'],
  ['1f8b08', 'other', 'application/gzip'],
  ['4c415346', 'other', 'application/vnd.las']
]

function bySignature(head: Buffer): MediaType | undefined {
  const start = head.subarray(0, 16).toString('hex')
  const found = SIGNATURES.find(([hex]) => start.startsWith(hex))
  // Two letters are a weak mark: a bitmap also has four reserved zero bytes.
  if (found?.[2] === 'image/bmp' && (head.length < 26 || head.readUInt32LE(6) !== 0)) return undefined
  return found && { kind: found[1], mimeType: found[2] }
}

function riff(head: Buffer): MediaType | undefined {
  if (head.toString('latin1', 0, 4) !== 'RIFF') return undefined
  switch (head.toString('latin1', 8, 12)) {
    case 'WEBP':
      return { kind: 'image', mimeType: 'image/webp' }
    case 'AVI ':
      return { kind: 'video', mimeType: 'video/x-msvideo' }
    case 'WAVE':
      return { kind: 'audio', mimeType: 'audio/wav' }
    default:
      return undefined
  }
}

/** ISO base media files (ISO/IEC 14496-12 §4.3) and QuickTime files from before the `ftyp` box. */
function isoMedia(head: Buffer): MediaType | undefined {
  const box = head.toString('latin1', 4, 8)
  if (box === 'ftyp') {
    const major = head.toString('latin1', 8, 12)
    const boxEnd = Math.min(head.readUInt32BE(0), head.length, 256)
    const brands = [major]
    for (let at = 16; at + 4 <= boxEnd; at += 4) brands.push(head.toString('latin1', at, at + 4))
    const has = (...names: string[]) => brands.some((brand) => names.includes(brand))
    if (has('avif', 'avis')) return { kind: 'image', mimeType: 'image/avif' }
    if (has('heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'mif1', 'msf1')) {
      return { kind: 'image', mimeType: 'image/heic' }
    }
    if (major === 'crx ') return { kind: 'image', mimeType: 'image/x-canon-cr3' }
    if (major === 'qt  ') return { kind: 'video', mimeType: 'video/quicktime' }
    if (major.startsWith('M4A')) return { kind: 'audio', mimeType: 'audio/mp4' }
    return { kind: 'video', mimeType: 'video/mp4' }
  }
  return ['moov', 'mdat', 'wide', 'pnot'].includes(box) ? { kind: 'video', mimeType: 'video/quicktime' } : undefined
}

/** TIFF, and DNG as the TIFF whose first directory has the DNGVersion tag (DNG 1.7 chapter 4). */
function tiff(head: Buffer): MediaType | undefined {
  const mark = head.subarray(0, 4).toString('hex')
  if (!['49492a00', '4d4d002a', '49492b00', '4d4d002b'].includes(mark)) return undefined
  const little = mark.startsWith('4949')
  const u16 = (at: number) => (at + 2 > head.length ? 0 : little ? head.readUInt16LE(at) : head.readUInt16BE(at))
  if (head.length >= 8 && mark.includes('2a')) {
    const directory = little ? head.readUInt32LE(4) : head.readUInt32BE(4)
    const entries = Math.min(u16(directory), 512)
    for (let i = 0; i < entries; i++) {
      if (u16(directory + 2 + i * 12) === 0xc612) return { kind: 'image', mimeType: 'image/x-adobe-dng' }
    }
  }
  return { kind: 'image', mimeType: 'image/tiff' }
}

function matroska(head: Buffer): MediaType | undefined {
  if (head.subarray(0, 4).toString('hex') !== '1a45dfa3') return undefined
  const isWebm = head.subarray(0, 64).includes('webm')
  return { kind: 'video', mimeType: isWebm ? 'video/webm' : 'video/x-matroska' }
}

/** MPEG transport streams: sync bytes 188 apart (ISO/IEC 13818-1 §2.4.3), or 192 with a time code before each packet. */
function mpegTs(head: Buffer): MediaType | undefined {
  const synced = (start: number, step: number) =>
    head.length > start + 3 * step && [0, 1, 2, 3].every((packet) => head[start + packet * step] === 0x47)
  return synced(0, 188) || synced(4, 192) ? { kind: 'video', mimeType: 'video/mp2t' } : undefined
}

/** What may stand in front of the first element: white space, the XML declaration, comments, the type of an SVG. */
const BEFORE_MARKUP = /^(?:\s|<\?xml[^>]*>|<!--[\s\S]*?-->|<!doctype\s+svg[^>[]*(?:\[[^\]]*\]\s*)?>)*/i
/** What browsers take for HTML (WHATWG MIME Sniffing §7.1). */
const HTML_BEGIN = /^<(?:!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p)[\s>]/i

function text(head: Buffer): MediaType | undefined {
  if (head.length === 0) return undefined
  let content: string
  try {
    // The cut at the end of the head may split a character: `stream` forgives that.
    content = new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true })
  } catch {
    return undefined
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what tells binary from text
  if (/[\u0000-\u0008\u000e-\u001a\u001c-\u001f]/.test(content)) return undefined
  if (/^\s*\d+\s*\r?\n\s*\d+:\d\d:\d\d[,.]\d+\s*-->/.test(content)) {
    return { kind: 'document', mimeType: 'application/x-subrip' }
  }
  const markup = content.replace(BEFORE_MARKUP, '')
  if (/^<svg[\s>]/i.test(markup)) return { kind: 'document', mimeType: 'image/svg+xml' }
  if (HTML_BEGIN.test(markup)) return { kind: 'document', mimeType: 'text/html' }
  if (/^\s*(<\?xml|<kml[\s>])/.test(content)) return { kind: 'document', mimeType: 'application/xml' }
  if (/^\s*[[{]/.test(content)) return { kind: 'document', mimeType: 'application/json' }
  return { kind: 'document', mimeType: 'text/plain' }
}
