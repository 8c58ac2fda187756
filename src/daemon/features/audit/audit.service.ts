import { setImmediate as pause } from 'node:timers/promises'
import type { z } from 'zod'
import type { auditProblems, verifyAudit } from '../../../shared/api/audit.ts'
import { type AuditRow, GENESIS_HASH, hashOf } from '../../audit/audit-log.ts'
import type { AuditRepository } from './audit.repository.ts'
import type { Noted, NotedHead } from './noted-head.ts'

type Verdict = z.output<(typeof verifyAudit)['response']>
type Break = { seq: number; problem: (typeof auditProblems)[number] }

/** Rows looked at together; nobody waits longer than for these. */
const CHUNK = 500

/** Whether the chain of records is whole. */
export class AuditService {
  readonly #repository: AuditRepository
  readonly #noted: NotedHead

  constructor(deps: { repository: AuditRepository; noted: NotedHead }) {
    this.#repository = deps.repository
    this.#noted = deps.noted
  }

  /** Walks the whole chain, a few records at a time, up to the first broken one; `signal` ends it where it is. */
  async verify(signal: AbortSignal): Promise<Verdict> {
    const noted = await this.#noted.read()
    let last: Pick<AuditRow, 'seq' | 'hash'> = { seq: 0, hash: GENESIS_HASH }
    let broken: Break | undefined
    for await (const row of this.readAll()) {
      broken = breakAt(row, last)
      if (broken || signal.aborted) break
      last = row
    }
    broken ??= this.#breakAtNoted(noted, last.seq)
    return {
      isIntact: broken === undefined,
      recordCount: last.seq,
      firstBrokenSeq: broken?.seq ?? null,
      problem: broken?.problem ?? null,
      head: last.seq === 0 ? null : { seq: last.seq, hash: last.hash },
      noted: noted === 'unreadable' ? null : noted
    }
  }

  /** Every record, oldest first; others have their turn in between. */
  async *readAll(): AsyncGenerator<AuditRow> {
    for (let after = 0; ; await pause()) {
      const chunk = this.#repository.readAfter(after, CHUNK)
      yield* chunk
      if (chunk.length < CHUNK) return
      after = chunk.at(-1)!.seq
    }
  }

  /**
   * Notes the last record outside the catalogue. Gives it, or null when there is none; not while the one noted before is not in
   * the chain any more: that note is the only proof then.
   */
  async noteHead(): Promise<{ seq: number; hash: string } | null> {
    const noted = await this.#noted.read()
    const head = this.#repository.find()
    const broken = this.#breakAtNoted(noted, head?.seq ?? 0)
    if (broken) throw new Error(`the audit is not what was noted: ${broken.problem} at ${broken.seq}`)
    if (!head) return null
    const { seq, hash } = head
    await this.#noted.write({ seq, hash })
    return { seq, hash }
  }

  #breakAtNoted(noted: Noted | 'unreadable' | null, lastSeq: number): Break | undefined {
    if (noted === null) return undefined
    if (noted === 'unreadable') return { seq: lastSeq, problem: 'note_unreadable' }
    if (noted.seq > lastSeq) return { seq: lastSeq + 1, problem: 'end_missing' }
    return this.#repository.find(noted.seq)?.hash === noted.hash
      ? undefined
      : { seq: noted.seq, problem: 'record_changed' }
  }
}

function breakAt(row: AuditRow, before: Pick<AuditRow, 'seq' | 'hash'>): Break | undefined {
  const expectedSeq = before.seq + 1
  if (row.seq !== expectedSeq) return { seq: expectedSeq, problem: 'record_missing' }
  if (row.prev_hash !== before.hash || row.hash !== hashOf(row)) return { seq: row.seq, problem: 'record_changed' }
  return undefined
}
