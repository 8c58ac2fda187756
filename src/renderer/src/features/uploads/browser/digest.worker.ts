import { createSHA256 } from 'hash-wasm'

/** What a digest worker is asked for, and what it answers. */
export interface DigestRequest {
  file: Blob
}
export type DigestMessage = { checkedBytes: number } | { sha256: string } | { failed: string }

const stepBytes = 4 * 1024 * 1024

/** This file runs in a worker; the page's types know only windows. */
const post = (message: DigestMessage) =>
  (self as unknown as { postMessage(message: DigestMessage): void }).postMessage(message)

async function digest(file: Blob): Promise<string> {
  const hasher = await createSHA256()
  for (let at = 0; at < file.size; at += stepBytes) {
    hasher.update(new Uint8Array(await file.slice(at, at + stepBytes).arrayBuffer()))
    post({ checkedBytes: Math.min(file.size, at + stepBytes) })
  }
  return hasher.digest('hex')
}

self.onmessage = (event: MessageEvent<DigestRequest>) => {
  digest(event.data.file).then(
    (sha256) => post({ sha256 }),
    (error: unknown) => post({ failed: String(error) })
  )
}
