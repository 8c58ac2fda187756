import { timingSafeEqual } from 'node:crypto'
import type { StoreKeys } from './root-key.ts'

const VERSION = 1

/** The facts a session token binds together. */
export interface TokenFacts {
  keyId: number
  sessionId: number
  accessKeyId: string
  expiresAtMs: number
}

/**
 * The token of a session: base64url of version, key id, session row, expiry, access key id and a MAC over them. It is a pure
 * function of the row, so presenting one proves nothing that the row does not say.
 */
export function sessionToken(keys: StoreKeys, facts: TokenFacts): string {
  const head = Buffer.alloc(18)
  head.writeUInt8(VERSION, 0)
  head.writeUInt8(facts.keyId, 1)
  head.writeBigUInt64BE(BigInt(facts.sessionId), 2)
  head.writeBigUInt64BE(BigInt(facts.expiresAtMs), 10)
  const content = Buffer.concat([head, Buffer.from(facts.accessKeyId)])
  return Buffer.concat([content, keys.tokenMac(content)]).toString('base64url')
}

/** Whether `given` is exactly the expected token. Takes the same time wherever the two differ. */
export function tokensEqual(expected: string, given: string): boolean {
  const a = Buffer.from(expected)
  const b = Buffer.from(given)
  return a.length === b.length && timingSafeEqual(a, b)
}
