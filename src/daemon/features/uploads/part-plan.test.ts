import fc from 'fast-check'
import { expect, test } from 'vitest'
import { partCount, partSizeFor, sizeOfPart } from './part-plan.ts'

const MIB = 1024 ** 2

test('the parts of any file are as many and as large as S3 takes, and are the file together', () => {
  fc.assert(
    fc.property(fc.oneof(fc.integer({ min: 0, max: 200 * MIB }), fc.integer({ min: 0, max: 5e12 })), (sizeBytes) => {
      const partBytes = partSizeFor(sizeBytes)
      const count = partCount(sizeBytes, partBytes)
      const last = sizeOfPart(sizeBytes, partBytes, count)!
      expect(count).toBeLessThanOrEqual(10_000)
      expect(partBytes).toBeGreaterThanOrEqual(5 * MIB)
      expect(partBytes).toBeLessThanOrEqual(5 * 1024 * MIB)
      expect((count - 1) * partBytes + last).toBe(sizeBytes)
      expect(last).toBeLessThanOrEqual(partBytes)
      expect(last > 0 || sizeBytes === 0).toBe(true)
    })
  )
})

test('other numbers are no parts', () => {
  expect([0, 1, 2, 3].map((number) => sizeOfPart(10, 8, number))).toEqual([null, 8, 2, null])
  expect(sizeOfPart(0, 8, 1)).toBe(0)
})
