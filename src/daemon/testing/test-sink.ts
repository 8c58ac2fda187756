import { pino } from 'pino'
import { onTestFinished } from 'vitest'
import { systemClock } from '../clock.ts'
import type { Database } from '../db/database.ts'
import { Outbox } from '../events/outbox.ts'
import { Sink, type SinkConnection } from '../features/sinks/sink.ts'
import { SinksRepository } from '../features/sinks/sinks.repository.ts'
import { testDatabase } from './test-database.ts'

/** A sink over a catalogue of its own, or over that of another one. Ends with the test. */
export function startTestSink(name: 'redis' | 'kafka', connect: () => SinkConnection, db: Database = testDatabase()) {
  const outbox = new Outbox({ db, clock: systemClock })
  const sink = new Sink({
    outbox,
    clock: systemClock,
    log: pino({ level: 'silent' }),
    repository: new SinksRepository(db),
    target: { name, address: 'test', connect: async () => connect() }
  })
  sink.start()
  onTestFinished(() => sink.stop())
  const append = (subjects: string[]): void => {
    db.transaction(() => {
      for (const subject of subjects) outbox.append('asset.updated', subject)
    })
  }
  return { db, outbox, sink, append }
}

export const assetNames = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => `asset ${from + index}`)

/** Each once: what came before the answer was lost may come again. */
export const firstTimes = <T>(items: T[]): T[] => [...new Set(items)]
