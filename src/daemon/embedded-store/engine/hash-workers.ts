import type { Hash } from 'node:crypto'
import { Worker } from 'node:worker_threads'

/** The hashes that are worth another thread. */
export type ThreadedAlgorithm = 'md5' | 'sha256'

/** A hash that is computed elsewhere. */
export type RunningHash = {
  /** The bytes must lie in shared memory and stay unchanged until the promise resolves. */
  update(bytes: Uint8Array): Promise<void>
  /** Hex. Ends it. */
  digest(): Promise<string>
  /** Ends it without a digest. */
  discard(): void
}

type Request = { id: number; algorithm: ThreadedAlgorithm } & ({ bytes: Uint8Array } | { end: 'digest' | 'discard' })
/** One per request, in order: the digest for `digest`, otherwise null. */
type Reply = string | null

/**
 * Computes the slowest hash of each body on other threads, which is what lets one body, and several at once, arrive
 * faster.
 */
export class HashWorkers {
  readonly #size: number
  readonly #workers: HashWorker[] = []
  #nextId = 0

  /** Threads are started when they are first needed. */
  constructor(size: number) {
    this.#size = size
  }

  /** Starts a hash on the least busy thread. */
  start(algorithm: ThreadedAlgorithm): RunningHash {
    const worker = this.#choose()
    const id = this.#nextId++
    worker.bodies++
    let ended = false
    const end = () => {
      if (!ended) worker.bodies--
      ended = true
    }
    return {
      update: async (bytes) => {
        await worker.ask({ id, algorithm, bytes })
      },
      digest: async () => {
        end()
        const digest = await worker.ask({ id, algorithm, end: 'digest' })
        if (digest === null) throw new Error('The thread gave no digest.')
        return digest
      },
      discard: () => {
        if (ended) return
        end()
        // A thread that died has nothing to forget.
        worker.ask({ id, algorithm, end: 'discard' }).catch(() => {})
      }
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.splice(0).map((worker) => worker.terminate()))
  }

  #choose(): HashWorker {
    const alive = this.#workers.filter((worker) => !worker.failed)
    this.#workers.splice(0, this.#workers.length, ...alive)
    const idlest = alive.toSorted((a, b) => a.bodies - b.bodies)[0]
    if (idlest && (idlest.bodies === 0 || alive.length === this.#size)) return idlest
    const worker = new HashWorker()
    this.#workers.push(worker)
    return worker
  }
}

class HashWorker {
  /** Hashes under way on this thread. */
  bodies = 0
  failed = false
  readonly #thread: Worker
  readonly #waiting: { resolve: (reply: Reply) => void; reject: (error: unknown) => void }[] = []

  constructor() {
    // As text, because a worker file of its own would lie elsewhere once the daemon is bundled.
    this.#thread = new Worker(`(${workerMain.toString()})()`, { eval: true })
    this.#thread.unref()
    this.#thread.on('message', (reply: Reply) => {
      const asked = this.#waiting.shift()
      if (this.#waiting.length === 0) this.#thread.unref()
      asked?.resolve(reply)
    })
    this.#thread.on('error', (error) => this.#fail(error))
    this.#thread.on('exit', (code) => this.#fail(new Error(`The hash thread ended with code ${code}.`)))
  }

  ask(request: Request): Promise<Reply> {
    if (this.failed) return Promise.reject(new Error('The hash thread has ended.'))
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      // Only work under way keeps the process alive.
      if (this.#waiting.length === 1) this.#thread.ref()
      this.#thread.postMessage(request)
    })
  }

  async terminate(): Promise<void> {
    await this.#thread.terminate()
  }

  #fail(error: unknown): void {
    this.failed = true
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }
}

/** Runs in the worker as text: it may use nothing from this module but types. */
function workerMain(): void {
  const { parentPort } = process.getBuiltinModule('node:worker_threads')
  const { createHash } = process.getBuiltinModule('node:crypto')
  const hashes = new Map<number, Hash>()
  parentPort?.on('message', (request: Request) => {
    const { id, algorithm } = request
    let reply: Reply = null
    if ('bytes' in request) {
      let hash = hashes.get(id)
      if (!hash) {
        hash = createHash(algorithm)
        hashes.set(id, hash)
      }
      hash.update(request.bytes)
    } else {
      if (request.end === 'digest') reply = (hashes.get(id) ?? createHash(algorithm)).digest('hex')
      hashes.delete(id)
    }
    parentPort.postMessage(reply)
  })
}
