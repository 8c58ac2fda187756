import type { Logger } from 'pino'
import type { ObjectCommitted, ObjectDamaged } from './storage-engine.ts'

/** The engine's listeners. A listener that throws is logged and disturbs nobody. */
export class EngineEvents {
  readonly #log: Logger
  readonly #committed = new Set<(event: ObjectCommitted) => void>()
  readonly #damaged = new Set<(event: ObjectDamaged) => void>()

  constructor(log: Logger) {
    this.#log = log
  }

  onCommitted(listener: (event: ObjectCommitted) => void): () => void {
    this.#committed.add(listener)
    return () => this.#committed.delete(listener)
  }

  onDamaged(listener: (event: ObjectDamaged) => void): () => void {
    this.#damaged.add(listener)
    return () => this.#damaged.delete(listener)
  }

  committed({ bucket, key, sizeBytes, etag, sha256 }: ObjectCommitted): void {
    this.#tell(this.#committed, { bucket, key, sizeBytes, etag, sha256 })
  }

  damaged(event: ObjectDamaged): void {
    this.#log.error(event, 'stored object is damaged')
    this.#tell(this.#damaged, event)
  }

  #tell<E>(listeners: ReadonlySet<(event: E) => void>, event: E): void {
    for (const listener of listeners)
      try {
        listener(event)
      } catch (error) {
        this.#log.error({ err: error }, 'object store listener failed')
      }
  }
}
