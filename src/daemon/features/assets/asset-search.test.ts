import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { listAssets } from '../../../shared/api/assets.ts'
import type { Database } from '../../db/database.ts'
import { newId } from '../../ids.ts'
import { testDatabase } from '../../testing/test-database.ts'
import { AssetSearch } from './asset-search.ts'

type Query = z.input<NonNullable<(typeof listAssets)['query']>>

interface Row {
  name: string
  takenAtMs: number
  day?: string
  mimeType?: string
  kind?: string
  source?: string
  state?: string
  moderation?: string | null
  damage?: string | null
  place?: [latitude: number, longitude: number] | null
  binnedAtMs?: number | null
  tags?: string[]
  held?: [namespace: string, owner: string | null][]
}

function insert(db: Database, row: Row): string {
  const id = newId()
  db.prepare(`INSERT INTO workspace (id, name, created_at_ms) VALUES ('ws', 'ws', 0) ON CONFLICT DO NOTHING`).run()
  db.prepare(
    `INSERT INTO blob (id, store, key, size_bytes, etag, created_at_ms) VALUES ('b', 'local', 'b', 1, 'e', 0)
     ON CONFLICT DO NOTHING`
  ).run()
  db.prepare(
    `INSERT INTO asset (id, workspace_id, blob_id, object_key, name, kind, mime_type, state, size_bytes, taken_at_ms, taken_day,
                        taken_source, received_at_ms, updated_at_ms, source, moderation, damage, latitude, longitude,
                        binned_at_ms, pending_since_ms)
     VALUES (?, 'ws', 'b', '', ?, ?, ?, ?, 1, ?, ?, 'received', 0, 0, ?, ?, ?, ?, ?, ?, 0)`
  ).run(
    id,
    row.name,
    row.kind ?? 'image',
    row.mimeType ?? 'image/jpeg',
    row.state ?? 'active',
    row.takenAtMs,
    row.day ?? '2026-11-21',
    row.source ?? 'pilot',
    row.moderation ?? null,
    row.damage ?? null,
    row.place?.[0] ?? null,
    row.place?.[1] ?? null,
    row.binnedAtMs ?? null
  )
  for (const tag of row.tags ?? [])
    db.prepare('INSERT INTO asset_tag (asset_id, tag, taken_at_ms) VALUES (?, ?, ?)').run(id, tag, row.takenAtMs)
  for (const [namespace, owner] of row.held ?? [])
    db.prepare(
      `INSERT INTO reference (id, asset_id, kind, namespace, owner, created_at_ms) VALUES (?, ?, 'strong', ?, ?, 0)`
    ).run(newId(), id, namespace, owner)
  return id
}

const list = (search: AssetSearch, query: Query) => search.list(listAssets.query!.parse(query), 'all')

/** The names of all pages. */
async function namesOf(search: AssetSearch, query: Query): Promise<string[]> {
  const names: string[] = []
  for (let cursor: string | undefined; ; ) {
    const page = await list(search, { ...query, ...(cursor === undefined ? {} : { cursor }) })
    names.push(...page.items.map(({ name }) => name))
    if (page.nextCursor === null) return names
    cursor = page.nextCursor
  }
}

describe('words', () => {
  const names = [
    'DJI_0001.JPG',
    'DJI_0012.MP4',
    '大桥巡检_01.jpg',
    '西大桥.jpg',
    'roof 100%.tif',
    'a_b.txt',
    'q"x"y.txt'
  ]
  test.each([
    ['0001', ['DJI_0001.JPG']],
    ['dji_00', ['DJI_0001.JPG', 'DJI_0012.MP4']],
    ['jpg dji', ['DJI_0001.JPG']],
    ['大桥', ['大桥巡检_01.jpg', '西大桥.jpg']],
    ['桥', ['大桥巡检_01.jpg', '西大桥.jpg']],
    ['大桥巡检', ['大桥巡检_01.jpg']],
    ['pg', ['DJI_0001.JPG', '大桥巡检_01.jpg', '西大桥.jpg']],
    ['4', ['DJI_0012.MP4']],
    ['0%', ['roof 100%.tif']],
    ['a_b', ['a_b.txt']],
    ['"x"', ['q"x"y.txt']],
    ['jxg', []],
    ['小河', []],
    ['DJI_0001.JPG.', []]
  ])('%s', async (text, expected) => {
    const db = testDatabase()
    for (const [index, name] of names.entries()) insert(db, { name, takenAtMs: -index })
    expect(await namesOf(new AssetSearch(db), { text })).toEqual(expected)
  })

  test('find what was renamed by its new name only, and nothing that is gone', async () => {
    const db = testDatabase()
    const search = new AssetSearch(db)
    const id = insert(db, { name: 'before.jpg', takenAtMs: 1 })
    db.prepare(`UPDATE asset SET name = 'after.jpg' WHERE id = ?`).run(id)
    expect(await namesOf(search, { text: 'before' })).toEqual([])
    expect(await namesOf(search, { text: 'after' })).toEqual(['after.jpg'])
    db.prepare('DELETE FROM asset WHERE id = ?').run(id)
    insert(db, { name: 'other.jpg', takenAtMs: 1 })
    expect(await namesOf(search, { text: 'after' })).toEqual([])
    expect(await namesOf(search, { text: 'other' })).toEqual(['other.jpg'])
  })
})

describe('places', () => {
  test.each([
    ['113.9,22.5,114,22.6', ['bridge']],
    ['-180,-90,180,90', ['bridge', 'east of the date line', 'west of the date line', 'nowhere in particular']],
    ['179,-1,-179,1', ['east of the date line', 'west of the date line']],
    ['113.95,22.55,113.95,22.55', ['bridge']],
    ['113.9500001,22.55,114,22.6', []]
  ])('%s', async (bbox, expected) => {
    const db = testDatabase()
    insert(db, { name: 'bridge', takenAtMs: 4, place: [22.55, 113.95] })
    insert(db, { name: 'east of the date line', takenAtMs: 3, place: [0.5, -179.5] })
    insert(db, { name: 'west of the date line', takenAtMs: 2, place: [-0.5, 179.5] })
    insert(db, { name: 'nowhere in particular', takenAtMs: 1, place: [0, 0] })
    insert(db, { name: 'who knows', takenAtMs: 0 })
    expect(await namesOf(new AssetSearch(db), { bbox })).toEqual(expected)
  })

  test('follow what is found out later', async () => {
    const db = testDatabase()
    const search = new AssetSearch(db)
    const id = insert(db, { name: 'a', takenAtMs: 1 })
    const move = db.prepare('UPDATE asset SET latitude = ?, longitude = ? WHERE id = ?')
    move.run(10, 20, id)
    expect(await namesOf(search, { bbox: '19,9,21,11' })).toEqual(['a'])
    move.run(50, 60, id)
    expect(await namesOf(search, { bbox: '19,9,21,11' })).toEqual([])
    expect(await namesOf(search, { bbox: '59,49,61,51' })).toEqual(['a'])
  })
})

test('a tag lists in the order in which the assets were taken, also when that is found out later', async () => {
  const db = testDatabase()
  const search = new AssetSearch(db)
  const first = insert(db, { name: 'first', takenAtMs: 1, tags: ['t'] })
  insert(db, { name: 'second', takenAtMs: 2, tags: ['t'] })
  expect(await namesOf(search, { tag: 't' })).toEqual(['second', 'first'])
  db.prepare('UPDATE asset SET taken_at_ms = 3 WHERE id = ?').run(first)
  expect(await namesOf(search, { tag: 't', limit: 1 })).toEqual(['first', 'second'])
})

test('a digest lists all assets with these bytes', async () => {
  const db = testDatabase()
  insert(db, { name: 'one', takenAtMs: 1 })
  insert(db, { name: 'another', takenAtMs: 2, kind: 'video' })
  const search = new AssetSearch(db)
  const sha256 = 'ab'.repeat(32)
  expect(await namesOf(search, { sha256 })).toEqual([])
  db.prepare('UPDATE blob SET sha256 = ?').run(Buffer.from(sha256, 'hex'))
  expect(await namesOf(search, { sha256 })).toEqual(['another', 'one'])
  expect(await namesOf(search, { sha256, kind: 'image' })).toEqual(['one'])
})

/** More assets than are gone through at once, and than are few; the one asked for is the oldest. */
test('one asset among many is found by what no index tells', async () => {
  const db = testDatabase()
  db.transaction(() => {
    insert(db, { name: 'x first', takenAtMs: 0, kind: 'video', source: 'upload', held: [['app', 'ann']] })
    for (let index = 1; index < 12_000; index++)
      insert(db, { name: `x ${index}`, takenAtMs: index, held: [['app', null]] })
  })
  const search = new AssetSearch(db)
  expect(await namesOf(search, { text: 'x', kind: 'video' })).toEqual(['x first'])
  expect(await namesOf(search, { namespace: 'app', takenBefore: '1970-01-01T00:00:00.001Z' })).toEqual(['x first'])
  expect(await namesOf(search, { namespace: 'app', owner: 'ann', text: 'x' })).toEqual(['x first'])
  expect(await namesOf(search, { damaged: 'false', source: 'upload', text: 'x' })).toEqual(['x first'])
  expect(await namesOf(search, { damaged: 'false', text: 'x y' })).toEqual([])
  const all = await namesOf(search, { namespace: 'app', limit: 500 })
  expect(all).toEqual([...Array.from({ length: 11_999 }, (_, index) => `x ${11_999 - index}`), 'x first'])
})

test('words that many old assets have are found in order, a few at a time', async () => {
  const db = testDatabase()
  for (let index = 0; index < 60; index++)
    insert(db, { name: `roof ${index}`, takenAtMs: (index * 7) % 60, kind: index % 2 === 0 ? 'image' : 'video' })
  for (let index = 0; index < 60; index++) insert(db, { name: 'bridge', takenAtMs: 100 + index })
  const search = new AssetSearch(db, 3)
  const newestFirst = Array.from({ length: 60 }, (_, index) => index).sort((a, b) => ((b * 7) % 60) - ((a * 7) % 60))
  expect(await namesOf(search, { text: 'roof', limit: 25 })).toEqual(newestFirst.map((index) => `roof ${index}`))
  const films = newestFirst.filter((index) => index % 2 === 1)
  expect(await namesOf(search, { text: 'roof', kind: 'video' })).toEqual(films.map((index) => `roof ${index}`))
})

test('every combination of filters gives what looking at each asset gives', async () => {
  const db = testDatabase()
  const search = new AssetSearch(db)
  const pick = <T>(values: T[], index: number): T => values[index % values.length]!
  const rows = Array.from(
    { length: 400 },
    (_, i): Required<Row> => ({
      name: `${pick(['DJI', '大桥', 'roof'], i)}_${i % 40}.jpg`,
      takenAtMs: Math.floor(i / 3) * 60_000,
      day: pick(['2026-11-20', '2026-11-21'], i >> 2),
      kind: pick(['image', 'video'], i >> 1),
      mimeType: pick(['image/jpeg', 'video/mp4', 'image/tiff'], i >> 1),
      source: pick(['pilot', 'upload'], i >> 3),
      state: pick(['active', 'active', 'pending_reference'], i),
      moderation: pick([null, 'approved', 'rejected'], i >> 2),
      damage: pick([null, null, 'corrupt'], i >> 1),
      place: pick([null, [10, 10], [10.5, 20]], i >> 1),
      binnedAtMs: i % 7 === 0 ? 1_000_000 - Math.floor(i / 2) : null,
      tags: pick([[], ['a'], ['a', 'b']], i >> 3),
      held: pick(
        [
          [],
          [['app', 'ann']],
          [
            ['app', 'bob'],
            ['other', null]
          ]
        ],
        i >> 1
      )
    })
  )
  const ids = rows.map((row) => insert(db, row))
  const maybe = <T>(...values: T[]) => fc.option(fc.constantFrom(...values), { nil: undefined })
  const instant = (minute: number) => new Date(minute * 60_000).toISOString()
  const queries = fc.record(
    {
      day: maybe('2026-11-21'),
      kind: maybe('image', 'video'),
      mimeType: maybe('image/tiff'),
      source: maybe('pilot', 'upload'),
      state: maybe('active', 'pending_reference'),
      moderation: maybe('approved', 'pending'),
      damaged: maybe('true', 'false'),
      tag: maybe('a', 'b', 'c'),
      namespace: maybe('app', 'other'),
      text: maybe('DJI', '大桥', '桥 1', 'of_1', '9'),
      takenFrom: maybe(instant(30)),
      takenBefore: maybe(instant(100)),
      bbox: maybe('9,9,11,11', '0,0,30,30', '19,0,11,30'),
      bin: maybe('true')
    },
    { noNullPrototype: true }
  )
  const matches = (row: Required<Row>, q: Record<string, string | undefined>) =>
    (q['bin'] === 'true') === (row.binnedAtMs !== null) &&
    (['day', 'kind', 'mimeType', 'source', 'state', 'moderation'] as const).every(
      (name) => q[name] === undefined || q[name] === row[name]
    ) &&
    (q['damaged'] === undefined || (q['damaged'] === 'true') === (row.damage !== null)) &&
    (q['tag'] === undefined || row.tags.includes(q['tag'])) &&
    (q['namespace'] === undefined || row.held.some(([namespace]) => namespace === q['namespace'])) &&
    (q['text'] ?? '').split(' ').every((word) => row.name.includes(word)) &&
    (q['takenFrom'] === undefined || row.takenAtMs >= Date.parse(q['takenFrom'])) &&
    (q['takenBefore'] === undefined || row.takenAtMs < Date.parse(q['takenBefore'])) &&
    (q['bbox'] === undefined || isWithin(row.place, q['bbox']))
  await fc.assert(
    fc.asyncProperty(queries, fc.constantFrom(7, 100), async (drawn, limit) => {
      const query = Object.fromEntries(Object.entries(drawn).filter(([, value]) => value !== undefined)) as Query
      const found: string[] = []
      for (let cursor: string | undefined; ; ) {
        const page = await list(search, { ...query, limit, ...(cursor === undefined ? {} : { cursor }) })
        found.push(...page.items.map(({ id }) => id))
        if (page.nextCursor === null) break
        cursor = page.nextCursor
      }
      const order = query.bin === 'true' ? 'binnedAtMs' : 'takenAtMs'
      const expected = rows
        .map((row, index) => ({ row, id: ids[index]! }))
        .filter(({ row }) => matches(row, query as Record<string, string>))
        .sort((a, b) => b.row[order]! - a.row[order]! || (a.id < b.id ? 1 : -1))
        .map(({ id }) => id)
      expect(found).toEqual(expected)
    }),
    { numRuns: 100 }
  )
})

function isWithin(place: Row['place'], bbox: string): boolean {
  const [west, south, east, north] = bbox.split(',').map(Number) as [number, number, number, number]
  if (!place) return false
  const [latitude, longitude] = place
  if (latitude < south || latitude > north) return false
  return west <= east ? longitude >= west && longitude <= east : longitude >= west || longitude <= east
}

test.each<[string, object]>([
  ['a box off the globe', { bbox: '0,0,181,1' }],
  ['a box upside down', { bbox: '0,10,1,9' }],
  ['a box of three corners', { bbox: '0,0,1' }],
  ['an owner of no namespace', { owner: 'ann' }],
  ['a day that is no instant', { takenFrom: '2026-11-21' }]
])('%s cannot be asked for', (_, query) => {
  expect(listAssets.query!.safeParse(query).success).toBe(false)
})
