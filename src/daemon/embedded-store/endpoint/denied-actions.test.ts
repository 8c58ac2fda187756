import { expect, test } from 'vitest'
import { DeniedActions, type DeniedEvent } from './denied-actions.ts'

const event = (changes: Partial<DeniedEvent> = {}): DeniedEvent => ({
  accessKeyId: 'FCS1',
  userName: 'flightcase-daemon',
  sessionDeviceId: 'rc-1',
  workspaceId: 'ws-1',
  operation: 'PutObject',
  action: 's3:PutObject',
  resource: 'media/ws-2/a.jpg',
  peer: '192.168.1.20',
  ...changes
})

test('a client that is refused every file is one line with a count, a time and its last file', () => {
  let nowMs = 1000
  const denied = new DeniedActions(() => nowMs)
  denied.record(event())
  nowMs = 3000
  denied.record(event({ resource: 'media/ws-2/b.jpg' }))
  expect(denied.list()).toEqual([
    { ...event({ resource: 'media/ws-2/b.jpg' }), count: 2, firstAtMs: 1000, lastAtMs: 3000 }
  ])
})

test('other keys and other actions are lines of their own, the latest first', () => {
  const denied = new DeniedActions(() => 0)
  denied.record(event())
  denied.record(event({ action: 's3:DeleteObject' }))
  denied.record(event({ accessKeyId: 'FCS2' }))
  denied.record(event())
  expect(denied.list().map((entry) => [entry.accessKeyId, entry.action, entry.count])).toEqual([
    ['FCS1', 's3:PutObject', 2],
    ['FCS2', 's3:PutObject', 1],
    ['FCS1', 's3:DeleteObject', 1]
  ])
})

test('no stream of refusals fills the memory', () => {
  const denied = new DeniedActions(() => 0)
  for (let i = 0; i < 1000; i++) denied.record(event({ accessKeyId: `FCS${i}` }))
  expect(denied.list()).toHaveLength(200)
  expect(denied.list()[0]?.accessKeyId).toBe('FCS999')
})
