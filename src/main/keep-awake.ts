import { powerSaveBlocker } from 'electron'

/** Keeps the computer from falling asleep while files are received or processed, and only then. */
export class KeepAwake {
  #blockerId: number | null = null

  follow(busy: boolean): void {
    if (busy && this.#blockerId === null) this.#blockerId = powerSaveBlocker.start('prevent-app-suspension')
    if (!busy && this.#blockerId !== null) {
      powerSaveBlocker.stop(this.#blockerId)
      this.#blockerId = null
    }
  }
}
