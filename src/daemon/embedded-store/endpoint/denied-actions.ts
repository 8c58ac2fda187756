/** An action that was refused although its signature was good. */
export interface DeniedEvent {
  accessKeyId: string
  /** The long-term user, also behind a session. */
  userName: string
  sessionDeviceId: string | null
  workspaceId: string | null
  operation: string
  action: string
  /** `bucket` or `bucket/key`. */
  resource: string
  peer: string
}

/** One kind of action that one access key was refused, however often. */
export interface DeniedAction extends DeniedEvent {
  count: number
  firstAtMs: number
  /** When it was refused last; `resource` and `peer` are those of that time. */
  lastAtMs: number
}

const MAX_ENTRIES = 200

/**
 * What was refused since the start, for finding out why a client cannot do what it should. A client that is refused every file of a
 * card is one line with a count, so that it does not push out the others.
 */
export class DeniedActions {
  readonly #clock: () => number
  readonly #byKind = new Map<string, DeniedAction>()

  constructor(clock: () => number) {
    this.#clock = clock
  }

  record(event: DeniedEvent): void {
    const kind = `${event.accessKeyId} ${event.action}`
    const lastAtMs = this.#clock()
    const { count = 0, firstAtMs = lastAtMs } = this.#byKind.get(kind) ?? {}
    this.#byKind.delete(kind)
    this.#byKind.set(kind, { ...event, count: count + 1, firstAtMs, lastAtMs })
    for (const oldest of this.#byKind.keys()) {
      if (this.#byKind.size <= MAX_ENTRIES) break
      this.#byKind.delete(oldest)
    }
  }

  /** The latest first; at most 200. */
  list(): DeniedAction[] {
    return [...this.#byKind.values()].reverse()
  }
}
