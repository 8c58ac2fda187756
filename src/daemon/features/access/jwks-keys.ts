import { readFile } from 'node:fs/promises'
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import type { Logger } from 'pino'
import type { Clock } from '../../clock.ts'
import { AppError } from '../../errors.ts'

export interface JwksKeysOptions {
  /** An `https:` address (or one of this machine), or the path of a file. */
  source: string
  clock: Clock
  log: Logger
}

const FRESH_MS = 600_000
/** A token with an unknown key has the keys read anew, but not more often than this. */
const REST_MS = 30_000
const FETCH_TIMEOUT_MS = 5000
const MAX_BYTES = 1_000_000

/**
 * The public keys of an identity provider (RFC 7517 §5). They are read again every ten minutes and when a token names a key that is
 * not among them; while they cannot be read, the ones from before go on counting.
 */
export class JwksKeys {
  readonly #options: JwksKeysOptions
  #keys: JWTVerifyGetKey | undefined
  #readAtMs = Number.NEGATIVE_INFINITY
  #triedAtMs = Number.NEGATIVE_INFINITY
  #reading: Promise<void> | undefined
  #cannotRead = false

  constructor(options: JwksKeysOptions) {
    this.#options = options
  }

  /** For `jwtVerify`. Raises `identity_provider_unreachable` when the key cannot be looked for, else what jose raises. */
  readonly get: JWTVerifyGetKey = async (header, token) => {
    const { clock } = this.#options
    if (this.#keys === undefined) await this.#read()
    else if (clock.nowMs() - this.#readAtMs >= FRESH_MS) void this.#read()
    try {
      return await this.#known()(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      await this.#read()
      if (this.#cannotRead) throw new AppError('identity_provider_unreachable')
      return this.#known()(header, token)
    }
  }

  #known(): JWTVerifyGetKey {
    if (this.#keys === undefined) throw new AppError('identity_provider_unreachable')
    return this.#keys
  }

  /** Never rejects: what is known already stays. */
  async #read(): Promise<void> {
    const { clock } = this.#options
    if (this.#reading === undefined) {
      if (clock.nowMs() - this.#triedAtMs < REST_MS) return
      this.#triedAtMs = clock.nowMs()
      this.#reading = this.#readNow().finally(() => {
        this.#reading = undefined
      })
    }
    await this.#reading
  }

  async #readNow(): Promise<void> {
    const { source, clock, log } = this.#options
    try {
      const text = /^https?:/.test(source) ? await download(source) : await readFile(source, 'utf8')
      // Checked by jose: it raises for what is no key set.
      this.#keys = createLocalJWKSet(JSON.parse(text) as JSONWebKeySet)
      this.#readAtMs = clock.nowMs()
      this.#cannotRead = false
    } catch (error) {
      if (!this.#cannotRead) log.error({ err: error, source }, 'the keys of the identity provider cannot be read')
      this.#cannotRead = true
    }
  }
}

async function download(url: string): Promise<string> {
  const answer = await fetch(url, {
    headers: { accept: 'application/jwk-set+json, application/json' },
    redirect: 'error',
    signal: AbortSignal.timeout(FETCH_TIMEOUT_MS)
  })
  if (!answer.ok || !answer.body) throw new Error(`${url} answers ${answer.status}`)
  let text = ''
  for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
    text += chunk
    if (text.length > MAX_BYTES) throw new Error(`${url} is too long for a key set`)
  }
  return text
}
