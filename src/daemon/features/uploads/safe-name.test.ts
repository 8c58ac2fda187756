import { expect, test } from 'vitest'
import { safeName } from './safe-name.ts'

test.each([
  ['photo.jpg', 'photo.jpg'],
  ['../../etc/passwd', 'passwd'],
  ['C:\\Users\\me\\clip.MP4', 'clip.MP4'],
  ['a\u0000b\r\n.jpg', 'ab.jpg'],
  ['\u202egpj.exe', 'gpj.exe'],
  ['..', 'file'],
  ['', 'file'],
  ['  \t ', 'file'],
  ['航拍 🛩️.jpg', '航拍 🛩️.jpg'],
  ['e\u0301.jpg', '\u00e9.jpg'],
  ['\ud800.jpg', '\ufffd.jpg']
])('%j is called %j', (given, name) => expect(safeName(given)).toBe(name))

test('a name of a million characters is one, too', () => {
  expect(Buffer.byteLength(safeName(`${'飞'.repeat(1_000_000)}.jpg`))).toBeLessThanOrEqual(255)
})

test.each(['x'.repeat(1000), '飞'.repeat(400), '🛩️'.repeat(200)])('a long name keeps its ending', (stem) => {
  const name = safeName(`${stem}.jpeg`)
  expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255)
  expect(Buffer.byteLength(name)).toBeGreaterThan(240)
  expect(name.endsWith('.jpeg')).toBe(true)
  expect(name.isWellFormed()).toBe(true)
})
