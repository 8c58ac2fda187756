import type { z } from 'zod'
import type { getStatus } from '../../../shared/api/system.ts'
import type { ListenAddress } from '../../config/settings/listeners.ts'
import type { StoreConfig } from '../../config/settings/store.ts'
import { messageOf } from '../../errors.ts'
import { lanAddresses } from '../../lan-addresses.ts'
import type { ObjectKeys } from '../../object-keys.ts'
import { type ObjectStore, ObjectStoreError } from '../../object-store/object-store.ts'
import { type StoreLook, troubleIn } from '../../object-store/store-trouble.ts'

export type Status = z.output<(typeof getStatus)['response']>

const HEALTH_KEPT_MS = 10_000
const CREDENTIALS_KEPT_MS = 60_000

/** Health of the store, asked at most once in ten seconds however many screens look. */
export class StoreMonitor {
  readonly #store: ObjectStore
  readonly #keys: ObjectKeys
  readonly #mode: Status['store']['mode']
  #last: { at: number; look: Promise<StoreLook> } | undefined
  #lastCredentials: { at: number; refusal: Promise<string | null> } | undefined

  constructor(store: ObjectStore, keys: ObjectKeys, mode: Status['store']['mode']) {
    this.#store = store
    this.#keys = keys
    this.#mode = mode
  }

  async read(nowMs: number): Promise<Status['store']> {
    const look = await this.look(nowMs)
    const { trouble = null, reported = null } = troubleIn(look) ?? {}
    return {
      mode: this.#mode,
      reachable: 'health' in look,
      writable: trouble === null,
      freeBytes: 'health' in look ? look.health.freeBytes : null,
      trouble,
      problem: reported
    }
  }

  /** What trying it out gave, at most `keptMs` ago. */
  look(nowMs: number, keptMs = HEALTH_KEPT_MS): Promise<StoreLook> {
    if (!this.#last || nowMs - this.#last.at > keptMs) this.#last = { at: nowMs, look: this.#ask() }
    return this.#last.look
  }

  /** Why an external store gives controllers no credentials, asked at most once a minute; null: it does, or need not. */
  async credentialsRefused(nowMs: number): Promise<string | null> {
    if (this.#mode !== 'external') return null
    if (!this.#lastCredentials || nowMs - this.#lastCredentials.at > CREDENTIALS_KEPT_MS)
      this.#lastCredentials = { at: nowMs, refusal: this.#askCredentials() }
    return this.#lastCredentials.refusal
  }

  async #askCredentials(): Promise<string | null> {
    try {
      const prefixes = [`${this.#keys.health()}/`]
      await this.#store.issueCredentials({ workspaceId: 'health-check', prefixes, durationSeconds: 900 })
      return null
    } catch (error) {
      // Whatever passes by itself is told when the store itself is tried out.
      return error instanceof ObjectStoreError && error.retryable ? null : messageOf(error)
    }
  }

  async #ask(): Promise<StoreLook> {
    try {
      return { health: await this.#store.health(this.#keys.health()) }
    } catch (error) {
      return { error }
    }
  }
}

/** URLs other machines can use for a listener: one for each address of this machine when it listens on all of them, the likeliest first. */
export function reachableUrls(address: ListenAddress): string[] {
  const wildcard = address.host === '0.0.0.0' || address.host === '::'
  if (!wildcard) return [`http://${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`]
  return lanAddresses().map((host) => `http://${host}:${address.port}`)
}

/** The same for the store; `address` is that of the embedded endpoint, null before it listens. */
export function storeUrls(config: StoreConfig, address: ListenAddress | null): string[] {
  if (config.publicEndpoint !== null) return [config.publicEndpoint]
  if (config.mode === 'external') return [config.endpoint]
  return address === null ? [] : reachableUrls(address)
}
