import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../../clock.ts'

/** What a token opens: watching a stream, or playing what was recorded of it. */
export type StreamScope = 'r' | 'p'

/** A viewer's token for one path: `v1.<expiry in seconds>.<scopes>.<mac>`. Short enough for addresses that people type. */
export class StreamTokens {
  readonly #clock: Clock
  readonly #secret: Buffer

  constructor(deps: { clock: Clock; secret: Buffer }) {
    this.#clock = deps.clock
    this.#secret = deps.secret
  }

  /** `endsAtMs`: when it ends at the latest, in whole seconds; null: after its life. */
  issue(
    pathName: string,
    scopes: 'r' | 'p' | 'rp',
    lifeMs: number,
    endsAtMs: number | null = null
  ): { token: string; expiresAtMs: number } {
    const expiresS = Math.floor(Math.min(this.#clock.nowMs() + lifeMs, endsAtMs ?? Number.POSITIVE_INFINITY) / 1000)
    const mac = this.#mac(pathName, scopes, expiresS).toString('base64url')
    return { token: `v1.${expiresS}.${scopes}.${mac}`, expiresAtMs: expiresS * 1000 }
  }

  /** Whether a token opens this path for this. */
  opens(token: string, pathName: string, scope: StreamScope): boolean {
    const [, expires, scopes, mac] = /^v1\.(\d{1,11})\.(r|p|rp)\.([A-Za-z0-9_-]{22})$/.exec(token) ?? []
    if (expires === undefined || scopes === undefined || mac === undefined) return false
    const given = Buffer.from(mac, 'base64url')
    return (
      timingSafeEqual(given, this.#mac(pathName, scopes, Number(expires))) &&
      scopes.includes(scope) &&
      Number(expires) * 1000 > this.#clock.nowMs()
    )
  }

  #mac(pathName: string, scopes: string, expiresS: number): Buffer {
    return createHmac('sha256', this.#secret).update(`${pathName}|${scopes}|${expiresS}`).digest().subarray(0, 16)
  }
}
