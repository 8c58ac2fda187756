import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openDatabase } from './db/database.ts'
import { migrations } from './db/migrations/all.ts'
import { newId } from './ids.ts'
import {
  assetIdOfRendition,
  blobIdOfPinnedKey,
  isPinnedKey,
  ObjectKeys,
  openObjectKeys,
  prefixProblem,
  tierOfKey
} from './object-keys.ts'
import { temporaryFolder, testDatabase } from './testing/test-database.ts'

const AT_MS = Date.UTC(2026, 3, 7, 23, 59)
const BLOB = newId(AT_MS)
const CONTROLLERS_KEYS = [
  'media/team/20260407/DJI_0018.JPG',
  `media/team/images/2026/04/07/${BLOB}.jpg`,
  `media/team/archive/images/2026/04/07/${BLOB}.jpg`,
  `media/renditions/${BLOB}/256.webp`,
  'team/20260407/DJI_0018.JPG'
]

describe.each(['', 'tenant-a/', 'tenant-a/media/', 'my-archive/x/', '客户 1/+&?/'])('keys below "%s"', (root) => {
  const keys = new ObjectKeys(root)
  const hot = keys.pinned(BLOB, 'DJI_0018.JPG', AT_MS)
  const cold = keys.inTier('cold', { id: BLOB, key: hot }, AT_MS)

  test('are made and recognised', () => {
    expect([hot, cold]).toEqual([
      `${root}images/2026/04/07/${BLOB}.jpg`,
      `${root}archive/images/2026/04/07/${BLOB}.jpg`
    ])
    expect([hot, cold].map(isPinnedKey)).toEqual([true, true])
    expect([hot, cold].map(blobIdOfPinnedKey)).toEqual([BLOB, BLOB])
    expect([hot, cold].map(tierOfKey)).toEqual(['hot', 'cold'])
    expect(keys.inTier('hot', { id: BLOB, key: cold }, AT_MS)).toBe(hot)
    for (const key of [hot, cold]) expect(keys.pinnedFolders.filter((folder) => key.startsWith(folder))).toHaveLength(1)
    expect(assetIdOfRendition(keys.rendition(BLOB, 'hls.m3u8'))).toBe(BLOB)
    expect(keys.renditionFolders(BLOB)).toEqual([`${root}renditions/${BLOB}/`])
    expect(keys.incoming(BLOB)).toBe(`${root}incoming/${BLOB}`)
    expect(keys.health().startsWith(`${root}.health/`)).toBe(true)
  })

  test('are told from all others, in the catalogue as here', () => {
    const others = [...CONTROLLERS_KEYS, keys.incoming(BLOB), keys.cachedRemote('http://a/'), keys.rendition(BLOB, 'x')]
    for (const key of others) expect([key, isPinnedKey(key), tierOfKey(key)]).toEqual([key, false, 'hot'])
    for (const key of [...CONTROLLERS_KEYS, hot, cold]) expect(assetIdOfRendition(key)).toBeUndefined()
    const db = testDatabase()
    const insert = db.prepare(
      `INSERT INTO blob (id, store, key, size_bytes, etag, created_at_ms) VALUES (?, 'local', ?, 1, 'e', 1)`
    )
    for (const key of [hot, cold, ...others]) insert.run(newId(), key)
    const rows = db.prepare<unknown[], { key: string; tier: string }>('SELECT key, tier FROM blob').all()
    expect(rows).toHaveLength(others.length + 2)
    for (const { key, tier } of rows) expect([key, tier]).toEqual([key, tierOfKey(key)])
  })
})

test('bytes kept below a former prefix move below the present one', () => {
  const former = new ObjectKeys('tenant-a/').pinned(BLOB, 'a.MP4', AT_MS)
  const keys = new ObjectKeys('b/', ['', 'tenant-a/', 'b/'])
  expect(keys.inTier('cold', { id: BLOB, key: former }, AT_MS)).toBe(`b/archive/videos/2026/04/07/${BLOB}.mp4`)
  expect(keys.inTier('cold', { id: BLOB, key: CONTROLLERS_KEYS[0]! }, AT_MS)).toBe(
    `b/archive/images/2026/04/07/${BLOB}.jpg`
  )
})

test('every prefix that a catalogue had is looked after, and none that it had not', () => {
  const file = join(temporaryFolder(), 'a.db')
  const open = (prefix: string | null) => {
    const db = openDatabase(file, migrations)
    const folders = openObjectKeys(db, prefix).renditionFolders('x')
    db.close()
    return folders
  }
  expect(open('tenant-a/media')).toEqual(['tenant-a/media/renditions/x/'])
  expect(open('b')).toEqual(['b/renditions/x/', 'tenant-a/media/renditions/x/'])
  expect(open(null)).toEqual(['renditions/x/', 'b/renditions/x/', 'tenant-a/media/renditions/x/'])
})

test('a catalogue from before there were prefixes has its objects below none', () => {
  const file = join(temporaryFolder(), 'a.db')
  const before = openDatabase(
    file,
    migrations.filter(({ version }) => version < 170)
  )
  before
    .prepare(`INSERT INTO blob (id, store, key, size_bytes, etag, created_at_ms) VALUES ('b', 'local', ?, 1, 'e', 1)`)
    .run(`archive/images/2026/04/07/${BLOB}.jpg`)
  before.close()
  const db = openDatabase(file, migrations)
  expect(openObjectKeys(db, 'tenant-a').renditionFolders('x')).toEqual(['renditions/x/', 'tenant-a/renditions/x/'])
  expect(db.prepare('SELECT tier FROM blob').pluck().get()).toBe('cold')
  db.close()
})

describe('a prefix', () => {
  test.each(['a', 'tenant-a/media', 'mediathek', 'a/media', 'x'.repeat(512), '客户/图片', 'my-archive'])(
    '%s is fine',
    (prefix) => expect(prefixProblem(prefix)).toBeNull()
  )

  test.each([
    ['/a', 'slash'],
    ['a/', 'slash'],
    ['a//b', 'slash'],
    ['/', 'slash'],
    ['a/../b', '. or ..'],
    ['.', '. or ..'],
    ['a\nb', 'control characters'],
    ['a\u0085', 'control characters'],
    ['a\\b', 'backslashes'],
    ['a\ud800', 'control characters'],
    ['客'.repeat(171), '512 bytes'],
    ['media', 'controllers'],
    ['media/tenant-a', 'controllers'],
    ['archive', 'archive'],
    ['tenant-a/images', 'images'],
    ['a/.health/b', '.health']
  ])('%j is none', (prefix, reason) => expect(prefixProblem(prefix)).toContain(reason))

  test('of the greatest length leaves room for every key', () => {
    const keys = new ObjectKeys(`${'x'.repeat(512)}/`)
    const longest = [
      keys.inTier('cold', { id: BLOB, key: keys.pinned(BLOB, 'a.abcdefgh', AT_MS, 'document') }, AT_MS),
      keys.cachedRemote(`http://a/${'b'.repeat(3000)}`),
      keys.rendition(BLOB, 'strip.webp'),
      keys.incoming(BLOB),
      keys.health()
    ]
    for (const key of longest) expect(Buffer.byteLength(key)).toBeLessThan(1024)
  })
})
