import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { type Clock, isoFromMs } from '../../clock.ts'
import { isMissingFile, replaceFile } from '../../files.ts'

const notedSchema = z.object({ seq: z.int(), hash: z.string(), at: z.string() })
export type Noted = z.infer<typeof notedSchema>

/** The last record of the audit as it was at some moment, in a file beside the catalogue. */
export class NotedHead {
  readonly #path: string
  readonly #clock: Clock

  constructor(path: string, clock: Clock) {
    this.#path = path
    this.#clock = clock
  }

  /** Null when nothing was noted yet. */
  async read(): Promise<Noted | 'unreadable' | null> {
    try {
      return notedSchema.parse(JSON.parse(await readFile(this.#path, 'utf8')))
    } catch (error) {
      return isMissingFile(error) ? null : 'unreadable'
    }
  }

  /** Durable when it returns; after a crash the file has either the old or the new content. */
  async write(head: { seq: number; hash: string }): Promise<void> {
    await replaceFile(this.#path, `${JSON.stringify({ ...head, at: isoFromMs(this.#clock.nowMs()) })}\n`)
  }
}
