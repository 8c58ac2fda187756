import { expect, test } from 'vitest'
import { systemClock } from '../clock.ts'
import { testDatabase } from '../testing/test-database.ts'
import { Outbox } from './outbox.ts'

function outboxWith(events: number): Outbox {
  const db = testDatabase()
  const outbox = new Outbox({ db, clock: systemClock })
  db.transaction(() => {
    for (let index = 0; index < events; index++) outbox.append('asset.updated', `asset ${index}`)
  })
  return outbox
}

test('the newest events are kept, the others go a few at a time', async () => {
  const outbox = outboxWith(2500)
  const trimmed = outbox.trim({ keep: 1000 })
  expect(outbox.range().first).toBeLessThan(1000)
  await trimmed
  expect(outbox.range()).toEqual({ first: 1501, last: 2500 })
  await outbox.trim({ keep: 1000 })
  expect(outbox.range()).toEqual({ first: 1501, last: 2500 })
})

test('trimming ends when the program stops', async () => {
  const outbox = outboxWith(2500)
  const stopping = new AbortController()
  const trimmed = outbox.trim({ keep: 0, signal: stopping.signal })
  stopping.abort()
  await trimmed
  expect(outbox.range().last).toBe(2500)
})
