import { hash } from 'node:crypto'
import { AttemptLimiter } from '../../attempt-limiter.ts'
import type { Clock } from '../../clock.ts'

const WINDOW_MS = 60_000
const REMEMBERED = 4096

/**
 * Makes guessing tokens slow: an address that failed too often is not heard for a minute. Who came in from there before, with the
 * same token, goes on unhindered: several controllers may share an address with one that has a wrong token.
 */
export class SignInGuard {
  readonly #clock: Clock
  readonly #limiter: AttemptLimiter | null
  readonly #known = new Set<string>()

  /** `maxFailures` in a minute; 0 for no limit. */
  constructor(deps: { clock: Clock; maxFailures: number }) {
    this.#clock = deps.clock
    const { maxFailures } = deps
    this.#limiter = maxFailures === 0 ? null : new AttemptLimiter({ maxFailures, windowMs: WINDOW_MS })
  }

  /**
   * What `identify` says of the secret (undefined: it opens nothing), or `too_many` without asking. `address` null: a program of this
   * machine, which is never kept waiting.
   */
  attempt<T>(address: string | null, secret: string, identify: () => T | undefined): T | undefined | 'too_many' {
    if (address === null || this.#limiter === null) return identify()
    const nowMs = this.#clock.nowMs()
    const name = `${address} ${hash('sha256', secret, 'base64url')}`
    if (this.#limiter.isBlocked(address, nowMs) && !this.#known.has(name)) return 'too_many'
    const found = identify()
    this.#known.delete(name)
    if (found === undefined) this.#limiter.recordFailure(address, nowMs)
    else this.#remember(name)
    return found
  }

  /** The latest stay. */
  #remember(name: string): void {
    this.#known.add(name)
    if (this.#known.size > REMEMBERED) for (const oldest of this.#known.keys()) return void this.#known.delete(oldest)
  }
}
