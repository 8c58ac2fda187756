import { expect, test } from 'vitest'
import { ManualClock } from '../../testing/manual-clock.ts'
import { StreamTokens } from './stream-tokens.ts'

const clock = new ManualClock(1_800_000_000_000)
const tokens = new StreamTokens({ clock, secret: Buffer.alloc(32, 1) })
const path = 'live/cam-0a1b2c3d'

test('a token opens its path, for what it is for, for its time', () => {
  const { token, expiresAtMs } = tokens.issue(path, 'r', 300_000)
  expect(expiresAtMs).toBe(clock.nowMs() + 300_000)
  expect(tokens.opens(token, path, 'r')).toBe(true)
  expect(tokens.opens(token, path, 'p')).toBe(false)
  expect(tokens.opens(token, 'live/cam-0a1b2c3e', 'r')).toBe(false)
  clock.advanceMs(300_000)
  expect(tokens.opens(token, path, 'r')).toBe(false)
})

test('a token ends before whoever it is for has to prove who they are', () => {
  expect(tokens.issue(path, 'r', 300_000, clock.nowMs() + 60_999).expiresAtMs).toBe(clock.nowMs() + 60_000)
  expect(tokens.issue(path, 'r', 300_000, clock.nowMs() + 400_000).expiresAtMs).toBe(clock.nowMs() + 300_000)
  expect(tokens.issue(path, 'r', 300_999).expiresAtMs).toBe(clock.nowMs() + 300_000)
})

test('a token that was changed, or made with another secret, opens nothing', () => {
  const { token } = tokens.issue(path, 'r', 300_000)
  const [version, expires, , mac = ''] = token.split('.')
  const turned = `${mac[0] === 'A' ? 'B' : 'A'}${mac.slice(1)}`
  for (const forged of [
    `${version}.${Number(expires) + 1}.r.${mac}`,
    `${version}.${expires}.rp.${mac}`,
    `${version}.${expires}.r.${turned}`,
    `${version}.${expires}.r.`,
    `${token}x`,
    '',
    new StreamTokens({ clock, secret: Buffer.alloc(32, 2) }).issue(path, 'r', 300_000).token
  ])
    expect([forged, tokens.opens(forged, path, 'r')]).toEqual([forged, false])
})
