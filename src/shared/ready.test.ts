import { expect, test } from 'vitest'
import { hostReportSchema } from './host-messages.ts'
import { readyInfoFrom, readyInfoSchema } from './ready.ts'

const ready = {
  event: 'ready',
  pid: 4711,
  admin: { url: 'http://127.0.0.1:8701', token: 'secret' },
  field: { url: 'http://127.0.0.1:8700' },
  s3: { url: 'http://127.0.0.1:9000', bucket: 'media', region: 'us-east-1' }
}

test('the announcement survives being written as one line and read again', () => {
  expect(readyInfoSchema.parse(JSON.parse(JSON.stringify(ready)))).toEqual(ready)
})

test.each([
  ['no token', { ...ready, admin: { url: ready.admin.url, token: '' } }],
  ['an address that is none', { ...ready, field: { url: 'laptop' } }],
  ['another event', { ...ready, event: 'started' }],
  ['no process id', { ...ready, pid: 0 }]
])('an announcement with %s is refused', (_what, value) => {
  expect(readyInfoSchema.safeParse(value).success).toBe(false)
})

test('in the output of a program only the announcement is one', () => {
  expect(readyInfoFrom(JSON.stringify(ready))).toEqual(ready)
  for (const line of ['', 'Usage: flightcase serve', '{"event":', '{"event":"started"}', 'null'])
    expect(readyInfoFrom(line)).toBeNull()
})

test('a report wraps the same announcement', () => {
  expect(hostReportSchema.parse({ type: 'ready', ready })).toEqual({ type: 'ready', ready })
  expect(hostReportSchema.safeParse({ type: 'ready', ready: {} }).success).toBe(false)
})
