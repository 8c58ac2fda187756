import type { RefusedSignIn } from '../../../shared/api/field.ts'
import { isoFromMs } from '../../clock.ts'

const KEPT_MS = 4 * 3_600_000
const MAX_ADDRESSES = 20
/** A controller that tries again and again changes what is shown only so often. */
const REPEAT_MS = 10_000

/** Who was turned away lately for a wrong token: the address alone, never the token. In memory only. */
export class RefusedSignIns {
  readonly #atMs = new Map<string, number>()

  /** True when this changes the list. */
  note(remoteAddress: string, nowMs: number): boolean {
    const known = this.#atMs.get(remoteAddress)
    if (known !== undefined && nowMs - known < REPEAT_MS) return false
    this.#atMs.delete(remoteAddress)
    if (this.#atMs.size >= MAX_ADDRESSES) this.#atMs.delete(this.#atMs.keys().next().value ?? '')
    this.#atMs.set(remoteAddress, nowMs)
    return true
  }

  /** The address has signed in properly. True when this changes the list. */
  forget(remoteAddress: string): boolean {
    return this.#atMs.delete(remoteAddress)
  }

  /** Forgets what is some hours old. True when this changes the list. */
  expire(nowMs: number): boolean {
    const before = this.#atMs.size
    for (const [address, atMs] of this.#atMs) if (nowMs - atMs >= KEPT_MS) this.#atMs.delete(address)
    return this.#atMs.size < before
  }

  /** The latest first. */
  list(): RefusedSignIn[] {
    return [...this.#atMs].reverse().map(([remoteAddress, atMs]) => ({ remoteAddress, at: isoFromMs(atMs) }))
  }
}
