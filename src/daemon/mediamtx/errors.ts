/**
 * How a call of the media server fails.
 * - `Unavailable`: it does not answer, or ends just now.
 * - `Misconfigured`: it refuses our credential, or something else answers at its address.
 * - `Conflict`: the path is there already.
 * - `Invalid`: it refuses what it was sent.
 * - `NotFound`: it has no such path, segment or recording.
 * - `Corrupt`: a recording's file cannot be read.
 */
export type MediaMtxErrorCode = 'Unavailable' | 'Misconfigured' | 'Conflict' | 'Invalid' | 'NotFound' | 'Corrupt'

/** A call of the media server failed; the message is what the server said, without passwords and tokens. */
export class MediaMtxError extends Error {
  override readonly name = 'MediaMtxError'
  readonly code: MediaMtxErrorCode
  constructor(code: MediaMtxErrorCode, text: string, options?: { cause?: unknown }) {
    super(redact(text), options)
    this.code = code
  }
}

const REMOVED = '[removed]'

/** Takes the secrets out of a text of the media server: what stands before the host of a URL, and tokens and keys in queries. */
export function redact(text: string): string {
  return (
    text
      .replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/?#'"]*@/gi, `$1${REMOVED}@`)
      // The key of an RTMP stream may stand behind the `#`.
      .replace(/(rtmps?:\/\/[^\s#'"]*)#[^\s'"]+/gi, `$1#${REMOVED}`)
      .replace(/\b(token|jwt|pass|password|passphrase|user|k|secret)=[^\s&#'",;)]*/gi, `$1=${REMOVED}`)
      .replace(/\b((?:publish|read):[^\s:&'"]+):[^\s&'"]+/g, `$1:${REMOVED}`)
  )
}
