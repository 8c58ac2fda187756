import { expect, test } from 'vitest'
import { aSource } from '../../testing/a-source.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { type AuthRequest, authorise } from './authorise.ts'
import type { Source } from './sources.repository.ts'
import { StreamTokens } from './stream-tokens.ts'

const path = 'live/cam-0a1b2c3d'
const tokens = new StreamTokens({ clock: new ManualClock(), secret: Buffer.alloc(32, 7) })
const pushed = aSource({ pathName: path, publishKey: 'key-of-the-drone' })
const pulled: Source = { ...pushed, type: 'pull', url: 'rtsp://cam.lan/x', publishKey: null }

function ask(request: Partial<AuthRequest>, source: Source | null = pushed, isElsewhere = false): boolean {
  const asked = { ip: '192.168.1.20', user: '', password: '', token: '', action: 'read', path, query: '', ...request }
  return authorise(asked, {
    tokens,
    findByPath: (name) => (source && name === source.pathName ? source : undefined),
    ownCredential: { user: 'flightcase', password: 'own' },
    isElsewhere
  })
}
const own = { ip: '127.0.0.1', user: 'flightcase', password: 'own' }

test('who sends a stream shows its key, wherever the protocol can carry it', () => {
  const publish = { action: 'publish' }
  expect(ask({ ...publish, token: 'key-of-the-drone' })).toBe(true)
  expect(ask({ ...publish, user: 'x', password: 'key-of-the-drone' })).toBe(true)
  expect(ask({ ...publish, query: 'token=key-of-the-drone' })).toBe(true)
  expect(ask({ ...publish, query: 'user=x&pass=key-of-the-drone' })).toBe(true)
  expect(ask(publish)).toBe(false)
  expect(ask({ ...publish, token: 'key-of-the-drone2' })).toBe(false)
  expect(ask({ ...publish, token: tokens.issue(path, 'rp', 60_000).token })).toBe(false)
  expect(ask({ ...publish, ...own })).toBe(false)
})

test('nobody sends to a stream that is fetched, is switched off or does not exist', () => {
  const publish = { action: 'publish', token: 'key-of-the-drone' }
  expect(ask(publish, pulled)).toBe(false)
  expect(ask(publish, { ...pushed, enabled: false })).toBe(false)
  expect(ask(publish, null)).toBe(false)
  expect(ask({ ...publish, path: 'live/other-0a1b2c3d' })).toBe(false)
})

test('who watches shows a token for this path, or is the base itself', () => {
  const { token } = tokens.issue(path, 'r', 60_000)
  expect(ask({ query: `token=${token}` })).toBe(true)
  expect(ask({ token }, pulled)).toBe(true)
  expect(ask(own)).toBe(true)
  expect(ask({ ...own, ip: '192.168.1.20' })).toBe(false)
  expect(ask({ token: 'key-of-the-drone' })).toBe(false)
  expect(ask({ token: tokens.issue('live/other-0a1b2c3d', 'r', 60_000).token })).toBe(false)
  expect(ask({ token }, { ...pushed, enabled: false })).toBe(false)
  expect(ask({ token, action: 'playback' })).toBe(false)
})

test('recordings are played with a token for that, also of a source that is switched off', () => {
  const { token } = tokens.issue(path, 'p', 60_000)
  const off = { ...pushed, enabled: false }
  expect(ask({ action: 'playback', query: `path=x&token=${token}` }, off)).toBe(true)
  expect(ask({ ...own, action: 'playback' }, off)).toBe(true)
  expect(ask({ action: 'playback' }, off)).toBe(false)
})

test('a base whose media server is elsewhere is known by its credential alone', () => {
  for (const action of ['api', 'read', 'playback']) {
    expect(ask({ ...own, action, ip: '192.168.1.20' }, pushed, true)).toBe(true)
    expect(ask({ ...own, action, ip: '192.168.1.20', password: 'other' }, pushed, true)).toBe(false)
    expect(ask({ action, user: '', password: '' }, pushed, true)).toBe(false)
  }
})

test('the rest is for the base alone', () => {
  for (const action of ['api', 'metrics', 'pprof', 'something-new']) {
    expect(ask({ ...own, action, path: '' })).toBe(true)
    expect(ask({ ...own, action, path: '', ip: '192.168.1.20' })).toBe(false)
    expect(ask({ ...own, action, path: '', password: 'other' })).toBe(false)
    expect(ask({ action, path: '', token: tokens.issue(path, 'rp', 60_000).token })).toBe(false)
  }
})
