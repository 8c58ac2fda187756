import { ApiError } from '../shared/api-client.ts'

const ATTEMPTS = 6
const FIRST_PAUSE_MS = 500

/** Tries again after growing pauses where nobody answered, or the base asks for patience. */
export async function withPatience<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (isRefusal(error) || signal?.aborted || attempt === ATTEMPTS) throw error
      await pause(FIRST_PAUSE_MS * 2 ** (attempt - 1), signal)
    }
  }
}

/** Whether asking again gives the same answer. */
export function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && ![429, 502, 503, 504].includes(error.status)
}

/** Rejects with the signal's reason. */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', end)
      resolve()
    }, ms)
    if (signal?.aborted) end()
    else signal?.addEventListener('abort', end, { once: true })
  })
}
