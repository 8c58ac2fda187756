const MAX_BYTES = 255
/** What comes before the last so many characters is no part of a name that anybody would recognize. */
const MAX_LOOKED_AT = 2048
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be in a name
const UNFIT = /[\u0000-\u001f\u007f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

/**
 * A name to show and to save under: the last part of what was given, without control characters and marks that turn the
 * direction of text, at most 255 bytes long (the ending stays). `file` when nothing is left.
 */
export function safeName(given: string): string {
  const last = given.slice(-MAX_LOOKED_AT).split(/[/\\]/).at(-1)!
  const base = last.toWellFormed().normalize('NFC').replace(UNFIT, '').trim()
  if (base === '' || base === '.' || base === '..') return 'file'
  if (Buffer.byteLength(base) <= MAX_BYTES) return base
  const ending = /\.[A-Za-z0-9]{1,8}$/.exec(base)?.[0] ?? ''
  return cutTo(base.slice(0, base.length - ending.length), MAX_BYTES - ending.length) + ending
}

/** The longest beginning that fits into so many bytes and cuts no character. */
function cutTo(text: string, maxBytes: number): string {
  let sizeBytes = 0
  let length = 0
  for (const character of text) {
    sizeBytes += Buffer.byteLength(character)
    if (sizeBytes > maxBytes) break
    length += character.length
  }
  return text.slice(0, length)
}
