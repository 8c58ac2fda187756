import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { chmodSync, closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { StartupError } from '../../errors.ts'
import { isMissingFile } from '../../files.ts'

const ROOT_KEY_BYTES = 32

/** Generation of the derived keys; stored beside everything made with them, so that a rotation can tell old from new. */
export const KEY_ID = 1

/**
 * Reads the store's root key, creating it (mode 0600) when the file does not exist. A file readable by others is made
 * private again.
 * @throws StartupError root_key_malformed
 */
export function loadOrCreateRootKey(filePath: string): Buffer {
  const text = readIfExists(filePath)
  if (text === undefined) return createRootKey(filePath)
  if (!/^[0-9a-f]{64}\n?$/.test(text))
    throw new StartupError(
      'root_key_malformed',
      `${filePath} does not hold the object store's root key (64 hex digits). Restore it from a backup.`
    )
  if (process.platform !== 'win32') chmodSync(filePath, 0o600)
  return Buffer.from(text.trim(), 'hex')
}

function readIfExists(filePath: string): string | undefined {
  try {
    return readFileSync(filePath, 'utf8')
  } catch (error) {
    if (isMissingFile(error)) return undefined
    throw error
  }
}

function createRootKey(filePath: string): Buffer {
  const key = randomBytes(ROOT_KEY_BYTES)
  const file = openSync(filePath, 'wx', 0o600)
  try {
    writeSync(file, `${key.toString('hex')}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  return key
}

/** What the root key is used for. Each purpose has a key of its own, derived with HKDF; none is shared. */
export class StoreKeys {
  readonly #wrap: Buffer
  readonly #sessionSecret: Buffer
  readonly #tokenMac: Buffer
  /** Tells whether a database was written under this root key, without revealing anything about it. */
  readonly fingerprint: string

  constructor(rootKey: Buffer) {
    this.#wrap = derive(rootKey, 'secret-wrap')
    this.#sessionSecret = derive(rootKey, 'sts-secret')
    this.#tokenMac = derive(rootKey, 'sts-token-mac')
    this.fingerprint = derive(rootKey, 'fingerprint').toString('hex').slice(0, 32)
  }

  /** Encrypts a long-term secret for its row: AES-256-GCM, nonce then tag then ciphertext, bound to the access key id. */
  wrapSecret(accessKeyId: string, secret: string): Buffer {
    const nonce = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', this.#wrap, nonce).setAAD(Buffer.from(accessKeyId))
    const ciphertext = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
    return Buffer.concat([nonce, cipher.getAuthTag(), ciphertext])
  }

  /** Reverses {@link wrapSecret}. Throws when the row was altered or belongs to another key. */
  unwrapSecret(accessKeyId: string, wrapped: Buffer): string {
    const decipher = createDecipheriv('aes-256-gcm', this.#wrap, wrapped.subarray(0, 12))
      .setAAD(Buffer.from(accessKeyId))
      .setAuthTag(wrapped.subarray(12, 28))
    return Buffer.concat([decipher.update(wrapped.subarray(28)), decipher.final()]).toString('utf8')
  }

  /** The secret of temporary credentials, 40 characters of `[0-9A-Za-z]`. It is computed on use and stored nowhere. */
  sessionSecret(accessKeyId: string, salt: Buffer): string {
    const mac = createHmac('sha256', this.#sessionSecret).update(accessKeyId).update(salt).digest('hex')
    return base62(BigInt(`0x${mac}`), 40)
  }

  /** HMAC over a session token's content. */
  tokenMac(content: Buffer): Buffer {
    return createHmac('sha256', this.#tokenMac).update(content).digest()
  }
}

function derive(rootKey: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', rootKey, '', `flightcase object store/${purpose}/${KEY_ID}`, 32))
}

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

function base62(value: bigint, length: number): string {
  let text = ''
  for (let rest = value; text.length < length; rest /= 62n) text += BASE62[Number(rest % 62n)]
  return text
}
