import { expect, test } from 'vitest'
import type { Lane } from '../../../../shared/api/field.ts'
import { withLane } from './field.live.ts'
import { byUrgency, judgeLane } from './lane-verdict.ts'

const at = '2026-11-21T10:00:00.000Z'
const uploading: NonNullable<Lane['current']> = {
  name: 'DJI_0001.JPG',
  state: 'uploading',
  sizeBytes: 100,
  receivedBytes: 40,
  assetId: null,
  error: null,
  damage: null,
  updatedAt: at
}

function lane(change: Partial<Lane>): Lane {
  return {
    id: 'a',
    name: 'RC',
    remoteAddress: '192.168.1.2',
    online: true,
    lastSeenAt: at,
    seen: 0,
    uploaded: 0,
    skipped: 0,
    failed: 0,
    damaged: 0,
    current: null,
    bytesPerSecond: 0,
    lastError: null,
    troubled: [],
    recent: [],
    ...change
  }
}

test.each<[string, Partial<Lane>, string, string, number]>([
  ['nothing yet', {}, 'idle', 'idle', 0],
  ['nothing yet and gone', { online: false }, 'idle', 'idleOffline', 0],
  ['a transfer', { seen: 10, uploaded: 4, skipped: 1, current: uploading }, 'busy', 'receiving', 5],
  ['a transfer after a failure', { seen: 10, uploaded: 4, failed: 2, current: uploading }, 'busy', 'receiving', 4],
  ['files still to come', { seen: 10, uploaded: 4 }, 'busy', 'waiting', 6],
  ['files left behind', { seen: 10, uploaded: 4, online: false }, 'warn', 'interrupted', 6],
  ['a failure and nothing running', { seen: 10, uploaded: 9, failed: 1 }, 'bad', 'failed', 1],
  ['a failure and more to come', { seen: 10, uploaded: 4, failed: 1 }, 'bad', 'failed', 1],
  ['everything here, damaged', { seen: 3, uploaded: 3, damaged: 3, online: false }, 'bad', 'damaged', 3],
  ['one file here, damaged', { seen: 1, skipped: 1, damaged: 1 }, 'bad', 'damagedAlone', 1],
  ['damage and more to come', { seen: 10, uploaded: 4, damaged: 1 }, 'bad', 'damaged', 1],
  ['damage and files left behind', { seen: 10, uploaded: 4, damaged: 1, online: false }, 'warn', 'interrupted', 6],
  ['damage and a failure', { seen: 10, uploaded: 9, failed: 1, damaged: 2 }, 'bad', 'failed', 1],
  ['everything here', { seen: 10, uploaded: 7, skipped: 3 }, 'ok', 'allHere', 10],
  ['everything here and gone', { seen: 10, uploaded: 10, online: false }, 'ok', 'allHere', 10]
])('%s', (_what, change, tone, text, count) => {
  expect(judgeLane(lane(change))).toMatchObject({ tone, text, count })
})

test('a lane that was cut off in a transfer is not shown as receiving', () => {
  expect(judgeLane(lane({ seen: 3, uploaded: 1, online: false, current: uploading })).text).toBe('interrupted')
})

test('lanes with something going on come first, the others stay in order', () => {
  const lanes = [
    lane({ id: 'done', seen: 2, uploaded: 2 }),
    lane({ id: 'idle' }),
    lane({ id: 'busy', seen: 3, uploaded: 1 }),
    lane({ id: 'failed', seen: 1, failed: 1 })
  ]
  expect(byUrgency(lanes).map(({ id }) => id)).toEqual(['busy', 'failed', 'done', 'idle'])
})

test('a live lane replaces its older self in place; a new one goes last', () => {
  const lanes = [lane({ id: 'a' }), lane({ id: 'b' })]
  expect(withLane(lanes, lane({ id: 'a', seen: 5 })).map(({ id, seen }) => [id, seen])).toEqual([
    ['a', 5],
    ['b', 0]
  ])
  expect(withLane(lanes, lane({ id: 'c' })).map(({ id }) => id)).toEqual(['a', 'b', 'c'])
})
