import type { LiveMessage } from '../../shared/api/events.ts'

/** Moments for whoever is watching: shown, never stored. */
export class LiveFeed {
  readonly #listeners = new Set<(message: LiveMessage) => void>()

  publish(message: LiveMessage): void {
    for (const listener of this.#listeners) listener(message)
  }

  /** Returns the function that ends the subscription. */
  subscribe(listener: (message: LiveMessage) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
