import type { Logger } from 'pino'

/** What has been opened and has to be closed in the end, the last one first. */
export class Closers {
  readonly #log: Logger
  readonly #closers: { name: string; close: () => unknown }[] = []

  constructor(log: Logger) {
    this.#log = log
  }

  add(name: string, close: () => unknown): void {
    this.#closers.unshift({ name, close })
  }

  /** One that fails is logged and keeps no other from being closed. Calling it again does nothing. */
  async closeAll(): Promise<void> {
    for (const { name, close } of this.#closers.splice(0)) {
      try {
        await close()
      } catch (error) {
        this.#log.error({ err: error, name }, 'closing failed')
      }
    }
  }
}
