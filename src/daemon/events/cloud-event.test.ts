import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { eventTypes } from '../../shared/api/events.ts'
import { packageRoot } from '../package-info.ts'
import { testDatabase } from '../testing/test-database.ts'
import { eventSource, toCloudEvent } from './cloud-event.ts'

test('an event is put into its envelope, the same each time', () => {
  const db = testDatabase()
  const source = eventSource(db)
  expect(source).toMatch(/^urn:flightcase:[0-9a-z]{26}$/)
  expect(eventSource(db)).toBe(source)
  expect(
    toCloudEvent(
      { seq: 42, type: 'asset.binned', subject: 'a', at: '2026-04-07T10:00:00.000Z', data: { name: 'x' } },
      source
    )
  ).toEqual({
    specversion: '1.0',
    id: '42-1775556000000',
    source,
    type: 'flightcase.asset.binned',
    subject: 'a',
    time: '2026-04-07T10:00:00.000Z',
    datacontenttype: 'application/json',
    sequence: '0000000000000042',
    data: { name: 'x' }
  })
})

test('docs/events.md names every type', () => {
  const text = readFileSync(join(packageRoot, 'docs/events.md'), 'utf8')
  const named = [...text.matchAll(/^\| `([a-z]+\.[a-z]+)` \|/gm)].map(([, type]) => type)
  expect(named.toSorted()).toEqual([...eventTypes].sort())
})
