import { crc32 } from 'node:zlib'
import { crc32c } from '@node-rs/crc32'
import fc from 'fast-check'
import { createCRC64 } from 'hash-wasm'
import { describe, expect, it } from 'vitest'
import { type CombinableCrc, combineCrcs } from './crc-combine.ts'

const crc64 = await createCRC64('9a6c9329ac4bc9b5')
const base64: Record<CombinableCrc, (bytes: Uint8Array) => string> = {
  CRC32: (bytes) => uint32(crc32(bytes)),
  CRC32C: (bytes) => uint32(crc32c(Buffer.from(bytes))),
  CRC64NVME: (bytes) => Buffer.from(crc64.init().update(bytes).digest('hex'), 'hex').toString('base64')
}

function uint32(value: number): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return bytes.toString('base64')
}

describe.each(Object.keys(base64) as CombinableCrc[])('combineCrcs %s', (algorithm) => {
  it('gives the CRC of the joined pieces', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }), (pieces) => {
        const parts = pieces.map((bytes) => ({ crc: base64[algorithm](bytes), sizeBytes: bytes.length }))
        expect(combineCrcs(algorithm, parts)).toBe(base64[algorithm](Buffer.concat(pieces)))
      })
    )
  })

  it('combines 10 000 equal parts quickly enough for one request', () => {
    const part = { crc: base64[algorithm](Buffer.alloc(64, 7)), sizeBytes: 64 }
    expect(combineCrcs(algorithm, Array(10_000).fill(part))).toBe(base64[algorithm](Buffer.alloc(640_000, 7)))
  })
})

it('A-6: the published full-object CRC32 of a two-part upload', () => {
  const parts = [Buffer.alloc(5 * 1024 * 1024, 'A'), Buffer.alloc(100, 'B')]
  const pieces = parts.map((bytes) => ({ crc: base64.CRC32(bytes), sizeBytes: bytes.length }))
  expect(combineCrcs('CRC32', pieces)).toBe('zSdMyw==')
})
