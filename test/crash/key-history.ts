/** What an object is at one time; null: there is none. */
export type Version = {
  bytes: Buffer
  etag: string
  contentType: string
  /** The one metadata entry that every object has. */
  stamp: string
} | null

/** A change under way or done; `endedAt` null: not answered. */
export type Write = { readonly version: Version; readonly startedAt: number; endedAt: number | null }

/** What may be found under one key, from what was asked for and what was answered. Writes to a key may overlap. */
export class KeyHistory {
  #now = 0
  #writes: Write[] = [{ version: null, startedAt: 0, endedAt: 0 }]

  /** A change was asked for: from now on it may have happened. */
  begin(version: Version): Write {
    const write: Write = { version, startedAt: ++this.#now, endedAt: null }
    this.#writes.push(write)
    return write
  }

  /** The change was answered with success: from now on nothing older may be found. */
  acknowledge(write: Write): void {
    write.endedAt = ++this.#now
    this.#writes = this.#writes.filter((each) => each.endedAt === null || !this.#isReplaced(each))
  }

  /** The change was refused, or is known not to have happened. */
  refuse(write: Write): void {
    this.#writes = this.#writes.filter((each) => each !== write)
  }

  /** Everything that may be found now. */
  possible(): Version[] {
    return this.#writes.map(({ version }) => version)
  }

  /** The same for people. */
  tell(): string {
    return this.possible().map(tell).join(' or ')
  }

  /** The one thing that is there, while nothing is under way; undefined when there is more than one possibility. */
  settled(): Version | undefined {
    return this.#writes.length === 1 ? this.#writes[0]?.version : undefined
  }

  /** This was found after everything under way had ended, one way or the other. */
  settle(version: Version): void {
    this.#writes = [{ version, startedAt: 0, endedAt: 0 }]
  }

  #isReplaced({ endedAt }: Write): boolean {
    return this.#writes.some((later) => later.endedAt !== null && endedAt !== null && later.startedAt > endedAt)
  }
}

export function isSame(a: Version, b: Version): boolean {
  if (a === null || b === null) return a === b
  return a.stamp === b.stamp && a.etag === b.etag && a.contentType === b.contentType && a.bytes.equals(b.bytes)
}

export function tell(version: Version): string {
  return version ? `${version.bytes.length} bytes of ${version.stamp} (${version.etag})` : 'nothing'
}
