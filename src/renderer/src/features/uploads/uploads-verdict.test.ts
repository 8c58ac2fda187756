import { expect, test } from 'vitest'
import { summarize, type UploadItem, type UploadState } from './engine/upload-item.ts'
import { uploadsVerdict } from './uploads-verdict.ts'

const items = (...states: UploadState[]): UploadItem[] =>
  states.map((state, index) => ({
    id: String(index),
    name: 'a',
    folder: '',
    sizeBytes: 1,
    state,
    checkedBytes: 0,
    sentBytes: 0,
    problem: null,
    assetId: null,
    isDuplicate: false
  }))

test.each<[UploadState[], string, string, number]>([
  [['sending', 'failed', 'lost', 'done'], 'busy', 'uploading', 4],
  [['lost', 'failed', 'paused', 'done'], 'warn', 'lost', 1],
  [['failed', 'failed', 'paused', 'done'], 'bad', 'failed', 2],
  [['paused', 'done'], 'idle', 'paused', 2],
  [['done', 'done', 'done'], 'ok', 'allHere', 3]
])('%s is told as %s: %s', (states, tone, text, count) => {
  expect(uploadsVerdict(summarize(items(...states)))).toMatchObject({ tone, text, count })
})
