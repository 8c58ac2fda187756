import { expect, test } from 'vitest'
import { en } from './en.ts'
import { zhCN } from './zh-CN.ts'

type Texts = { readonly [key: string]: string | Texts }

function flatten(texts: Texts, prefix = ''): Map<string, string> {
  const flat = new Map<string, string>()
  for (const [key, value] of Object.entries(texts)) {
    if (typeof value === 'string') flat.set(prefix + key, value)
    else for (const [inner, text] of flatten(value, `${prefix}${key}.`)) flat.set(inner, text)
  }
  return flat
}

const placeholders = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name).sort()
const english = flatten(en)
const chinese = flatten(zhCN)

test('Chinese has the keys of English; its one plural form is `_other`', () => {
  expect([...chinese.keys()].sort()).toEqual([...english.keys()].filter((key) => !key.endsWith('_one')).sort())
})

test('every `_one` has its `_other`', () => {
  for (const key of english.keys())
    if (key.endsWith('_one')) expect(english.has(key.replace(/_one$/, '_other'))).toBe(true)
})

test.each([...chinese])('%s fills the same blanks in both languages', (key, text) => {
  expect(placeholders(text)).toEqual(placeholders(english.get(key) ?? ''))
  expect(text.trim()).not.toBe('')
})

test('no text for people stands in a component', () => {
  const sources = import.meta.glob<string>('../../**/*.tsx', { query: '?raw', import: 'default', eager: true })
  expect(Object.keys(sources).length).toBeGreaterThan(20)
  const found = Object.entries(sources).flatMap(([file, source]) => [
    // Between two tags, with a word in it; the product's name is no text.
    ...[...source.matchAll(/(?<=[\w'"}/])>([^<>{}=;]*\p{L}{2,}[^<>{}=;()]*)<\//gu)].map(
      ([, text]) => `${file}: ${text?.trim()}`
    ),
    ...[...source.matchAll(/\b(?:aria-label|label|title|placeholder|alt)="([^"]*\p{L}{2,}[^"]*)"/gu)].map(
      ([, text]) => `${file}: ${text}`
    )
  ])
  expect(found.filter((entry) => !entry.endsWith(': Flightcase'))).toEqual([])
})
