/** A limited number of places; who comes earlier in the list of uploads goes first. */
export interface Places {
  /** Runs `task` as soon as there is a place. Rejects without running it when `signal` is aborted while it waits. */
  run<T>(rank: string, signal: AbortSignal, task: () => Promise<T>): Promise<T>
}

interface Waiting {
  rank: string
  begin: () => void
}

/** Makes `count` places. */
export function createPlaces(count: number): Places {
  let free = count
  const queue: Waiting[] = []

  function leave(): void {
    const next = queue.shift()
    if (next) next.begin()
    else free += 1
  }

  async function enter(rank: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (free > 0) {
      free -= 1
      return
    }
    await new Promise<void>((resolve, reject) => {
      const waiting: Waiting = {
        rank,
        begin() {
          signal.removeEventListener('abort', giveUp)
          resolve()
        }
      }
      const giveUp = () => {
        queue.splice(queue.indexOf(waiting), 1)
        reject(signal.reason)
      }
      signal.addEventListener('abort', giveUp, { once: true })
      const at = queue.findIndex((other) => other.rank > rank)
      queue.splice(at < 0 ? queue.length : at, 0, waiting)
    })
  }

  return {
    async run(rank, signal, task) {
      await enter(rank, signal)
      try {
        return await task()
      } finally {
        leave()
      }
    }
  }
}
