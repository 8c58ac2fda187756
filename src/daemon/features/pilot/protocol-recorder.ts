import { appendFile, mkdir, rename, stat } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { dirname } from 'node:path'
import type { Logger } from 'pino'
import { isoFromMs } from '../../clock.ts'
import { messageOf } from '../../errors.ts'

/** Headers that tell something about the client and nothing secret. */
const KEPT_HEADERS = [
  'host',
  'user-agent',
  'content-type',
  'content-length',
  'content-encoding',
  'transfer-encoding',
  'accept',
  'accept-encoding',
  'connection',
  'expect',
  'origin',
  'x-device-id',
  'x-firmware-version',
  'x-request-id'
]
const MAX_BODY_CHARS = 64 * 1024
const MAX_FILE_BYTES = 16 * 1024 * 1024
const KEPT_FILES = 4
/** Lines waiting for the disk; beyond this the newest are dropped and counted. */
const MAX_WAITING_CHARS = 8 * 1024 * 1024
const REMOVED = '[removed]'

/**
 * Writes what controllers ask and what we answer, one JSON object a line, for learning how Pilot 2 really behaves. Tokens
 * and credentials are removed. The file is bounded: a full one becomes `.1`, the oldest goes. It never slows an answer.
 */
export class ProtocolRecorder {
  readonly #filePath: string
  readonly #log: Logger
  #waiting: string[] = []
  #waitingChars = 0
  #dropped = 0
  #writing: Promise<void> | undefined

  constructor(filePath: string, log: Logger) {
    this.#filePath = filePath
    this.#log = log
  }

  record(request: IncomingMessage, body: string, status: number, answer: unknown): void {
    const path = (request.url ?? '').split('?')[0] ?? ''
    const headers: Record<string, unknown> = {}
    for (const name of KEPT_HEADERS) if (request.headers[name] !== undefined) headers[name] = request.headers[name]
    if (request.headers['x-auth-token'] !== undefined) headers['x-auth-token'] = REMOVED
    const line = `${JSON.stringify({
      at: isoFromMs(Date.now()),
      remoteAddress: request.socket.remoteAddress,
      method: request.method,
      path,
      headers,
      body: redactText(body.length > MAX_BODY_CHARS ? `${body.slice(0, MAX_BODY_CHARS)}…` : body),
      status,
      answer: redact(answer)
    })}\n`
    if (this.#waitingChars + line.length > MAX_WAITING_CHARS) {
      this.#dropped++
      return
    }
    this.#waiting.push(line)
    this.#waitingChars += line.length
    this.#writing ??= this.#write()
  }

  /** Resolves when everything recorded so far is in the file. */
  async flush(): Promise<void> {
    while (this.#writing) await this.#writing
  }

  async #write(): Promise<void> {
    try {
      await mkdir(dirname(this.#filePath), { recursive: true })
      while (this.#waiting.length > 0) {
        const text = this.#waiting.join('')
        this.#waiting = []
        this.#waitingChars = 0
        await this.#rotate(Buffer.byteLength(text))
        await appendFile(this.#filePath, text, { mode: 0o600 })
      }
      if (this.#dropped > 0) this.#log.warn({ dropped: this.#dropped }, 'the recorder could not keep up')
      this.#dropped = 0
    } catch (error) {
      this.#log.warn({ reason: messageOf(error) }, 'the recorder cannot write')
      this.#waiting = []
      this.#waitingChars = 0
    } finally {
      this.#writing = undefined
    }
  }

  async #rotate(moreBytes: number): Promise<void> {
    const sizeBytes = await stat(this.#filePath).then(
      (found) => found.size,
      () => 0
    )
    if (sizeBytes === 0 || sizeBytes + moreBytes <= MAX_FILE_BYTES) return
    for (let number = KEPT_FILES - 1; number > 0; number--) {
      const from = number === 1 ? this.#filePath : `${this.#filePath}.${number - 1}`
      await rename(from, `${this.#filePath}.${number}`).catch(() => {})
    }
  }
}

const SECRET_NAME = /token|secret|password|access_?key|authorization/i

function redact(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redact)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      SECRET_NAME.test(name) && typeof member !== 'object' ? REMOVED : redact(member)
    ])
  )
}

/** The body as sent, even when it is no JSON, less anything that looks like a secret in it. */
function redactText(body: string): string {
  return body.replace(
    /("[^"]*(?:token|secret|password|access_?key|authorization)[^"]*"\s*:\s*)"(?:[^"\\]|\\.)*"?/gi,
    `$1"${REMOVED}"`
  )
}
