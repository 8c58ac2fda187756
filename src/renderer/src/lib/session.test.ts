import { expect, test } from 'vitest'
import { parsePreferences, preferredLanguage } from './preferences.ts'
import { tokenFromFragment } from './session.ts'

test.each([
  ['#token=abc', 'abc'],
  ['token=abc', 'abc'],
  ['#token=a%2Bb', 'a+b'],
  ['#token=', null],
  ['#content', null],
  ['', null]
])('the token of %j is %j', (fragment, expected) => {
  expect(tokenFromFragment(fragment)).toBe(expected)
})

test.each([
  [['zh-TW', 'en'], 'zh-CN'],
  [['de', 'zh-CN'], 'zh-CN'],
  [['de', 'en-GB', 'zh'], 'en'],
  [['de'], 'en']
])('a browser that speaks %j gets %s', (spoken, expected) => {
  expect(preferredLanguage(spoken)).toBe(expected)
})

test.each([
  ['nothing', null],
  ['no JSON', '{'],
  ['something else', '[1]'],
  ['unknown values', '{"language":"xx","theme":7}']
])('%s stored means the defaults', (_what, stored) => {
  expect(parsePreferences(stored, ['en'])).toEqual({ language: 'en', theme: 'auto' })
})

test('what was stored is used', () => {
  expect(parsePreferences('{"language":"zh-CN","theme":"contrast"}', ['en'])).toEqual({
    language: 'zh-CN',
    theme: 'contrast'
  })
})
