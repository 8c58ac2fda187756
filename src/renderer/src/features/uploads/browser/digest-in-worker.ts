import type { Digest } from '../engine/transfer.ts'
import type { DigestMessage, DigestRequest } from './digest.worker.ts'

/** Waits idle for the next file. */
let spare: Worker | undefined

/** Calculates digests in a worker, so that the page stays alive; one worker serves one file at a time. */
export const digestInWorker: Digest = async (file, { onProgress, signal }) => {
  signal.throwIfAborted()
  const worker = spare ?? new Worker(new URL('./digest.worker.ts', import.meta.url), { type: 'module' })
  spare = undefined
  let isIdle = false
  const onAbort = new AbortController()
  try {
    return await new Promise<string>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { signal: onAbort.signal })
      worker.onerror = (event) => reject(new Error(event.message))
      worker.onmessage = ({ data }: MessageEvent<DigestMessage>) => {
        if ('checkedBytes' in data) return onProgress(data.checkedBytes)
        isIdle = true
        if ('sha256' in data) resolve(data.sha256)
        else reject(new Error(data.failed))
      }
      worker.postMessage({ file } satisfies DigestRequest)
    })
  } finally {
    onAbort.abort()
    // One that was interrupted would go on reading.
    if (isIdle && !spare) spare = worker
    else worker.terminate()
  }
}
