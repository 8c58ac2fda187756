import type { Database } from '../../db/database.ts'

/** How far each sink is. */
export class SinksRepository {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** One that is new begins after `seq`. */
  ensure(name: string, seq: number): void {
    this.#db.prepare('INSERT INTO sink (name, position_seq) VALUES (?, ?) ON CONFLICT DO NOTHING').run(name, seq)
  }

  get(name: string): { positionSeq: number; lostEvents: number } {
    return this.#db
      .prepare<unknown[], { positionSeq: number; lostEvents: number }>(
        'SELECT position_seq AS positionSeq, lost_events AS lostEvents FROM sink WHERE name = ?'
      )
      .get(name)!
  }

  /** Undone by a power cut, it means that some events are told again. */
  move(name: string, seq: number): void {
    this.skip(name, seq, 0)
  }

  /** As `move`, over events that the sink did not get. */
  skip(name: string, seq: number, lostEvents: number): void {
    this.#db.relaxedTransaction(() =>
      this.#db
        .prepare('UPDATE sink SET position_seq = ?, lost_events = lost_events + ? WHERE name = ?')
        .run(seq, lostEvents, name)
    )
  }
}
