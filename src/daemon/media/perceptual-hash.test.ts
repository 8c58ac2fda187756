import sharp, { type Sharp } from 'sharp'
import { describe, expect, it } from 'vitest'
import { scene } from '../testing/photos.ts'
import { hammingDistance, type PerceptualHash, perceptualHash } from './perceptual-hash.ts'

async function hashOf(picture: Buffer): Promise<PerceptualHash> {
  const hash = await perceptualHash(picture)
  if (hash === null) throw new Error('no hash')
  return hash
}

describe('perceptual hash', () => {
  it.each<[string, (picture: Sharp) => Sharp]>([
    ['recompressed', (picture) => picture.jpeg({ quality: 30 })],
    ['in another format', (picture) => picture.webp({ quality: 60 })],
    ['half the size', (picture) => picture.resize(320).jpeg()],
    ['a thumbnail', (picture) => picture.resize(120).jpeg()],
    ['brighter', (picture) => picture.linear(1, 25).jpeg()],
    ['darker and flatter', (picture) => picture.linear(0.7, 0).jpeg()],
    ['without colours', (picture) => picture.greyscale().jpeg()],
    ['slightly blurred', (picture) => picture.blur(2).jpeg()]
  ])('%s is the same picture', async (_, change) => {
    for (const seed of [1, 2, 3]) {
      const original = await scene(seed)
      const changed = await change(sharp(original)).toBuffer()
      expect(hammingDistance(await hashOf(original), await hashOf(changed))).toBeLessThanOrEqual(8)
    }
  })

  it('different pictures are far apart', async () => {
    const hashes = await Promise.all(Array.from({ length: 12 }, async (_, seed) => hashOf(await scene(seed))))
    const distances = hashes.flatMap((a, i) => hashes.slice(i + 1).map((b) => hammingDistance(a, b)))
    expect(Math.min(...distances)).toBeGreaterThan(10)
  })

  it('uses about as many ones as zeros', async () => {
    const ones = hammingDistance(await hashOf(await scene(5)), { high: 0, low: 0 })
    expect(ones).toBe(32)
  })

  it('a picture of one colour has none', async () => {
    const plain = (background: string) =>
      sharp({ create: { width: 64, height: 64, channels: 3, background } })
        .jpeg({ quality: 40 })
        .toBuffer()
    expect(await perceptualHash(await plain('#000000'))).toBeNull()
    expect(await perceptualHash(await plain('#3060a0'))).toBeNull()
  })

  it('counts differing bits', () => {
    expect(hammingDistance({ high: 0xffffffff, low: 0xffffffff }, { high: 0, low: 0 })).toBe(64)
    expect(hammingDistance({ high: 0, low: 0b1011 }, { high: 1, low: 0b0001 })).toBe(3)
    expect(hammingDistance({ high: 2 ** 31, low: 5 }, { high: 2 ** 31, low: 5 })).toBe(0)
  })
})
