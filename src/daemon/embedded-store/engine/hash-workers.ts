import type { Hash } from 'node:crypto'
import { Worker } from 'node:worker_threads'

/** Hex. */
export type PairOfDigests = { sha256: string; md5: string }

/** The two digests of one body, computed elsewhere. */
export type RunningDigests = {
  /** The bytes must lie in shared memory and stay unchanged until the promise resolves. */
  update(bytes: Uint8Array): Promise<void>
  /** Ends it. */
  digest(): Promise<PairOfDigests>
  /** Ends it without a digest. */
  discard(): void
}

type Request = { id: number; bytes: Uint8Array } | { id: number; end: 'digest' | 'discard' }
/** One per request, in order: the digests for `digest`, otherwise null. */
type Reply = PairOfDigests | null

/**
 * Computes sha256 and md5 on other threads. They are most of the work a body makes, so taking them off the main thread is what
 * lets one body, and several at once, arrive faster.
 */
export class HashWorkers {
  readonly #size: number
  readonly #workers: HashWorker[] = []
  #nextId = 0

  /** Threads are started when they are first needed. */
  constructor(size: number) {
    this.#size = size
  }

  /** Starts the digests of a body on the least busy thread. */
  start(): RunningDigests {
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
        await worker.ask({ id, bytes })
      },
      digest: async () => {
        end()
        const digest = await worker.ask({ id, end: 'digest' })
        if (digest === null) throw new Error('The hashing thread gave no digest.')
        return digest
      },
      discard: () => {
        if (ended) return
        end()
        // A thread that died has nothing to forget.
        worker.ask({ id, end: 'discard' }).catch(() => {})
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
  /** Bodies under way on this thread. */
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
    this.#thread.on('exit', (code) => this.#fail(new Error(`The hashing thread ended with code ${code}.`)))
  }

  ask(request: Request): Promise<Reply> {
    if (this.failed) return Promise.reject(new Error('The hashing thread has ended.'))
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
  const bodies = new Map<number, { sha256: Hash; md5: Hash }>()
  const bodyOf = (id: number) => {
    let body = bodies.get(id)
    if (!body) {
      body = { sha256: createHash('sha256'), md5: createHash('md5') }
      bodies.set(id, body)
    }
    return body
  }
  parentPort?.on('message', (request: Request) => {
    const { sha256, md5 } = bodyOf(request.id)
    let reply: Reply = null
    if ('bytes' in request) {
      sha256.update(request.bytes)
      md5.update(request.bytes)
    } else {
      if (request.end === 'digest') reply = { sha256: sha256.digest('hex'), md5: md5.digest('hex') }
      bodies.delete(request.id)
    }
    parentPort.postMessage(reply)
  })
}
