import { setTimeout as sleep } from 'node:timers/promises'

/** Resolves after that time, or when the signal aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(Math.max(ms, 0), undefined, { signal }).catch((error) => {
    if (!signal.aborted) throw error
  })
}
