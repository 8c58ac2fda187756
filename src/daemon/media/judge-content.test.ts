import { expect, it } from 'vitest'
import { judgeContent, typeByContent } from './judge-content.ts'
import type { MediaType } from './sniff-media.ts'

const jpeg: MediaType = { kind: 'image', mimeType: 'image/jpeg' }
const mp4: MediaType = { kind: 'video', mimeType: 'video/mp4' }
const text: MediaType = { kind: 'document', mimeType: 'text/plain' }
const csv: MediaType = { kind: 'document', mimeType: 'text/csv' }
const zip: MediaType = { kind: 'document', mimeType: 'application/zip' }
const bytes: MediaType = { kind: 'other', mimeType: 'application/octet-stream' }

it.each<[string, MediaType, MediaType, MediaType, boolean]>([
  ['agreement', jpeg, jpeg, jpeg, false],
  ['a photo named like a video', mp4, jpeg, jpeg, false],
  ['a photo without extension', bytes, jpeg, jpeg, false],
  ['text named like a video', mp4, text, mp4, true],
  ['an empty photo', jpeg, bytes, jpeg, true],
  ['a table of numbers', csv, text, csv, false],
  ['an archive of unknown name', bytes, zip, zip, false],
  ['raw satellite observations', bytes, text, bytes, false]
])('%s', (_, byName, byContent, type, isWrong) => {
  expect(judgeContent(byName, byContent)).toEqual({ type, isWrong })
})

const html: MediaType = { kind: 'document', mimeType: 'text/html' }
const pdf: MediaType = { kind: 'document', mimeType: 'application/pdf' }

it.each<[string, MediaType, MediaType, MediaType]>([
  ['a page named like a photo', jpeg, html, html],
  ['a page named like a document', pdf, html, html],
  ['text named like a video', mp4, text, text],
  ['a photo named like a page', html, jpeg, jpeg],
  ['a table of numbers', csv, text, csv],
  ['bytes named like an archive', zip, bytes, bytes]
])('by content alone: %s', (_, byName, byContent, type) => {
  expect(typeByContent(byName, byContent)).toEqual(type)
})
