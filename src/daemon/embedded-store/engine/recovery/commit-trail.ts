import type { RecoveryRecord } from './recovery-record.ts'

/** Follows the numbers of the commits that logs tell of, and notices where they do not tell all. */
export class CommitTrail {
  #last: number | null
  #isTorn = false
  #hasGap = false

  /** `last`: the last commit before the first log; null: that log says it. */
  constructor(last: number | null) {
    this.#last = last
  }

  /** Call it for each line of the logs, `null` for one that cannot be read. */
  see(record: RecoveryRecord | null): void {
    if (record === null) this.#isTorn = true
    else if (record.what === 'begin') this.#reach(record.commit, record.commit)
    else if (record.what === 'commit') this.#reach(record.first - 1, record.last)
  }

  /** The last commit that was told of. */
  get last(): number {
    return this.#last ?? 0
  }

  /** Whether something is missing between the commits that were told of. */
  get hasGap(): boolean {
    return this.#hasGap
  }

  #reach(before: number, last: number): void {
    const known = this.#last ?? before
    // An unreadable line is of the commits that end here.
    if (before > known || (this.#isTorn && last > known)) this.#hasGap = true
    this.#isTorn = false
    this.#last = Math.max(known, last)
  }
}
