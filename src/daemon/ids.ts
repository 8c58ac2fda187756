import { randomBytes } from 'node:crypto'

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

/**
 * A new unique id: 26 characters of `[0-9a-z]`, 48 bits of milliseconds then 80 random bits, so ids made later sort
 * later as plain text (to the millisecond). Safe as a file name on every file system.
 */
export function newId(nowMs: number = Date.now()): string {
  const bytes = randomBytes(16)
  let time = nowMs
  for (let i = 5; i >= 0; i--) {
    bytes[i] = time % 256
    time = Math.floor(time / 256)
  }
  let id = ''
  let bits = 0
  let value = 0
  for (const byte of bytes) {
    value = (value << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      id += ALPHABET[(value >> bits) & 31]
    }
    value &= (1 << bits) - 1
  }
  return id + ALPHABET[(value << (5 - bits)) & 31]
}
