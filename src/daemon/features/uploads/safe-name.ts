const MAX_BYTES = 255
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be in a name
const UNFIT = /[\u0000-\u001f\u007f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

/**
 * A name to show and to save under: the last part of what was given, without control characters and marks that turn the
 * direction of text, at most 255 bytes long (the ending stays). `file` when nothing is left.
 */
export function safeName(given: string): string {
  const base = given.toWellFormed().normalize('NFC').split(/[/\\]/).at(-1)!.replace(UNFIT, '').trim()
  if (base === '' || base === '.' || base === '..') return 'file'
  if (Buffer.byteLength(base) <= MAX_BYTES) return base
  const ending = /\.[A-Za-z0-9]{1,8}$/.exec(base)?.[0] ?? ''
  let stem = base.slice(0, base.length - ending.length)
  const room = MAX_BYTES - ending.length
  while (Buffer.byteLength(stem) > room) stem = [...stem].slice(0, -1).join('')
  return stem + ending
}
