import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import type Sqlite from 'better-sqlite3'
import { StorageError } from '../storage-engine.ts'

/** `quick` leaves out the comparison of the tables with their indexes, which takes most of the time. */
export type IndexCheck = 'quick' | 'thorough'

/** What a check may find at most; more says no more. */
const MAX_PROBLEMS = 10

type Task = { source: string; copyTo: string | null; check: IndexCheck }
type Reply = { problems: string[] } | { failed: string; code: string | null }

/** Reads the whole index, or a copy it makes of it, on another thread: with a million objects that takes many seconds. */
export class IndexThread {
  #worker: Worker | undefined
  #stopped = false

  /** What SQLite finds wrong with the file; nothing when it is whole. Raises what keeps it from being read. */
  check(path: string, check: IndexCheck): Promise<string[]> {
    return this.#run({ source: path, copyTo: null, check })
  }

  /**
   * Copies the index as it is at one moment to a new file, while it is in use, and checks the copy. The copy is one file, knows that it
   * is a copy (see store-root.ts) and is not flushed yet.
   */
  copy(path: string, to: string, check: IndexCheck): Promise<string[]> {
    return this.#run({ source: path, copyTo: to, check })
  }

  /** Ends what is running, which raises `StoreClosed`. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#worker?.terminate()
  }

  async #run(task: Task): Promise<string[]> {
    if (this.#stopped) throw new StorageError('StoreClosed', 'The object store is closed.')
    const sqlite = createRequire(import.meta.url).resolve('better-sqlite3')
    // As text, because a worker file of its own would lie elsewhere once the daemon is bundled.
    const worker = new Worker(`(${threadMain.toString()})()`, {
      eval: true,
      workerData: { task, sqlite, maxProblems: MAX_PROBLEMS }
    })
    this.#worker = worker
    const reply = await new Promise<Reply>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
      worker.once('exit', () => reject(new StorageError('StoreClosed', 'The object store is closed.')))
    })
    if ('failed' in reply) throw Object.assign(new Error(reply.failed), reply.code === null ? {} : { code: reply.code })
    return reply.problems
  }
}

/** Runs in the worker as text: it may use nothing from this module but types. */
function threadMain(): void {
  const { parentPort, workerData } = process.getBuiltinModule('node:worker_threads')
  const { createRequire } = process.getBuiltinModule('node:module')
  const { task, sqlite, maxProblems } = workerData as { task: Task; sqlite: string; maxProblems: number }
  const Database: typeof Sqlite = createRequire(sqlite)(sqlite)
  const ALL_PAGES = 2 ** 31 - 1

  async function copy(from: string, to: string): Promise<void> {
    const source = new Database(from, { readonly: true, fileMustExist: true, timeout: 5000 })
    try {
      // All at once: a copy made in steps begins again whenever somebody writes in between. Writers do not wait for it.
      await source.backup(to, { progress: () => ALL_PAGES })
    } finally {
      source.close()
    }
    const made = new Database(to)
    try {
      made.pragma('journal_mode = DELETE')
      made.prepare('UPDATE store_use SET doubted = 1').run()
    } finally {
      made.close()
    }
  }

  function problemsIn(path: string): string[] {
    const db = new Database(path, { readonly: true, fileMustExist: true, timeout: 5000 })
    try {
      const pragma = task.check === 'quick' ? 'quick_check' : 'integrity_check'
      const found = db.pragma(`${pragma}(${maxProblems})`) as Record<string, string>[]
      return found.flatMap((row) => Object.values(row)).filter((text) => text !== 'ok')
    } finally {
      db.close()
    }
  }

  async function run(): Promise<Reply> {
    try {
      if (task.copyTo !== null) await copy(task.source, task.copyTo)
      return { problems: problemsIn(task.copyTo ?? task.source) }
    } catch (error) {
      const { message, code } = error as Error & { code?: string }
      if (code === 'SQLITE_CORRUPT' || code === 'SQLITE_NOTADB') return { problems: [message] }
      return { failed: message, code: code ?? null }
    }
  }

  void run().then((reply) => parentPort?.postMessage(reply))
}
