import { ApiError } from '../../../../../shared/api-client.ts'
import type { Hindrance } from './upload-item.ts'

/** Thrown by whatever sends bytes when no answer came. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost'
}

/** What this error asks to wait for; null when waiting does not help. */
export function hindranceOf(error: unknown): Hindrance | null {
  // `fetch` tells an outage by a TypeError.
  if (error instanceof ConnectionLost || error instanceof TypeError) return 'base_unreachable'
  if (!(error instanceof ApiError)) return null
  if (error.status === 401) return 'session_ended'
  switch (error.problem?.code) {
    case 'store_unreachable':
    case 'store_full':
      return error.problem.code
    case 'disk_full':
      return 'store_full'
    case 'shutting_down':
      return 'base_unreachable'
  }
  // Something between here and the base answered, or the base wants less of this at once.
  return error.problem === null || error.status === 429 ? 'base_unreachable' : null
}

/** Does calls again until nothing hinders them any more. */
export interface Patience {
  /** Runs `work`, again after each outage. Rejects with other errors, and when `signal` is aborted. */
  run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T>
  /** Tries at once what waits. */
  hurry(): void
  hindrance(): Hindrance | null
}

/** Makes a patience that pauses between `shortestPauseMs` and `longestPauseMs`; `onChange` hears of each new hindrance and its end. */
export function createPatience(options: {
  shortestPauseMs: number
  longestPauseMs: number
  onChange: () => void
}): Patience {
  let hindrance: Hindrance | null = null
  const sleepers = new Set<() => void>()

  function notice(next: Hindrance | null): void {
    if (next === hindrance) return
    hindrance = next
    if (next === null) wakeAll()
    options.onChange()
  }

  function wakeAll(): void {
    for (const wake of [...sleepers]) wake()
  }

  function sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer)
        sleepers.delete(wake)
        signal.removeEventListener('abort', giveUp)
      }
      const wake = () => {
        end()
        resolve()
      }
      const giveUp = () => {
        end()
        // Nobody is left to find out that it is over.
        if (sleepers.size === 0) notice(null)
        reject(signal.reason)
      }
      const timer = setTimeout(wake, ms)
      sleepers.add(wake)
      signal.addEventListener('abort', giveUp, { once: true })
    })
  }

  return {
    async run(signal, work) {
      for (let attempt = 0; ; attempt += 1) {
        signal.throwIfAborted()
        try {
          const result = await work()
          notice(null)
          return result
        } catch (error) {
          signal.throwIfAborted()
          const found = hindranceOf(error)
          if (found === null) throw error
          notice(found)
          await sleep(Math.min(options.longestPauseMs, options.shortestPauseMs * 2 ** attempt), signal)
        }
      }
    },
    hurry: wakeAll,
    hindrance: () => hindrance
  }
}
