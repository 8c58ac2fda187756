import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isAcceptableKey, isWorkspaceId, uploadPrefix } from './object-key.ts'

test('a key that is accepted stays inside its workspace, however it is read', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'media',
      'ws',
      'ws2',
      '..',
      '.',
      '',
      '/',
      '//',
      '\\',
      '\u0000',
      '%2e%2e',
      '20260407',
      'a.JPG',
      '\u202e',
      '🚁'
    ),
    fc.string({ unit: 'binary', maxLength: 6 })
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const key = pieces.join('/')
      if (!isAcceptableKey(key, 'ws', false)) return
      expect(
        new URL(`http://h/${key.split('/').map(encodeURIComponent).join('/')}`).pathname.startsWith('/media/ws/')
      ).toBe(true)
      expect(Buffer.from(key).toString()).toBe(key)
      expect(Buffer.byteLength(key)).toBeLessThanOrEqual(1024)
    }),
    { numRuns: 2000 }
  )
})

test('legacy roots are accepted when asked for, and only the own one', () => {
  expect(isAcceptableKey('ws/a.JPG', 'ws', true)).toBe(true)
  expect(isAcceptableKey('ws/a.JPG', 'ws', false)).toBe(false)
  expect(isAcceptableKey('ws2/a.JPG', 'ws', true)).toBe(false)
})

test('the longest key is 1024 bytes, not characters', () => {
  const key = (length: number) => `media/ws/${'é'.repeat((length - 10) / 2)}x`
  expect(Buffer.byteLength(key(1024))).toBe(1024)
  expect(isAcceptableKey(key(1024), 'ws', false)).toBe(true)
  expect(isAcceptableKey(key(1026), 'ws', false)).toBe(false)
})

test('workspace ids are one plain path segment', () => {
  for (const id of ['e3dea0f5-37f2-4d79-ae58-490af3228069', 'a', 'Team_1', 'x'.repeat(64)])
    expect(isWorkspaceId(id)).toBe(true)
  for (const id of ['', '-a', '_a', 'a/b', 'a.b', '..', 'x'.repeat(65), 'a\n', 'é'])
    expect(isWorkspaceId(id)).toBe(false)
})

test('a prefix names the local day, and the device when it is given', () => {
  const evening = new Date(2026, 3, 7, 23, 59, 59).getTime()
  expect(uploadPrefix('ws', evening, null)).toBe('media/ws/20260407')
  expect(uploadPrefix('ws', evening, 'k3x9qz')).toBe('media/ws/20260407/k3x9qz')
})
