import { describe, expect, test } from 'vitest'
import { freeChunk, markReceived, UsedChunks } from './chunk-memory.ts'

const LARGE = 64 * 1024
const chunk = () => new Uint8Array(LARGE)

describe('a chunk that nobody will read again', () => {
  test('gives its memory back', () => {
    const own = chunk()
    freeChunk(own)
    expect(own.buffer.detached).toBe(true)
  })

  test.each([
    ['is a part of something larger', chunk().subarray(1)],
    ['is small', new Uint8Array(100)],
    ['lies in the pool', Buffer.from('text')]
  ])('but not when it %s', (_, shared) => {
    freeChunk(shared)
    expect(shared.buffer.detached).toBe(false)
  })
})

describe('chunks of a stream', () => {
  test('are freed when slices of others follow, and only those that were received', () => {
    const [first, second, foreign, last] = [chunk(), chunk(), chunk(), chunk()]
    for (const one of [first, second, last]) markReceived(one)
    const used = new UsedChunks()
    const freed = () => [first, second, foreign, last].map(({ buffer }) => buffer.detached)
    used.add(first.subarray(0, 10))
    used.add(first.subarray(10))
    expect(freed()).toEqual([false, false, false, false])
    used.add(second)
    expect(freed()).toEqual([true, false, false, false])
    used.add(foreign)
    used.add(last)
    expect(freed()).toEqual([true, true, false, false])
  })
})
