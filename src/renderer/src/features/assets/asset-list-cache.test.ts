import { expect, test } from 'vitest'
import type { AssetSummary } from '../../../../shared/api/assets.ts'
import { type AssetPages, withAsset, withoutAssets } from './asset-list-cache.ts'
import { belongsToList, type ListedAsset } from './asset-search.ts'

/** An asset taken in this minute; its id sorts by `id`. */
function asset(id: string, minute: number, change: Partial<ListedAsset> = {}): ListedAsset {
  return {
    id,
    workspaceId: 'w',
    name: `${id}.JPG`,
    kind: 'image',
    mimeType: 'image/jpeg',
    state: 'active',
    sizeBytes: 1,
    takenAt: new Date(Date.UTC(2026, 10, 21, 10, minute)).toISOString(),
    takenLocal: '2026-11-21T10:00:00',
    takenDay: '2026-11-21',
    takenZoneKnown: true,
    receivedAt: '2026-11-21T12:00:00.000Z',
    binnedAt: null,
    width: 4,
    height: 3,
    durationMs: null,
    deviceId: 'd1',
    flightId: null,
    source: 'pilot',
    moderation: null,
    preview: 'ready',
    previewProblem: null,
    damage: null,
    tags: [],
    ...change
  }
}

function pages(more: boolean, ...lists: AssetSummary[][]): AssetPages {
  return {
    pageParams: lists.map((_, index) => (index === 0 ? null : String(index))),
    pages: lists.map((items, index) => ({
      items,
      nextCursor: index < lists.length - 1 || more ? String(index + 1) : null
    }))
  }
}

const ids = (data: AssetPages) => data.pages.map(({ items }) => items.map(({ id }) => id).join(''))
const loaded = pages(true, [asset('f', 50), asset('e', 40)], [asset('d', 30), asset('c', 20)])

test.each<[string, AssetSummary, string[]]>([
  ['the newest', asset('x', 59), ['xfe', 'dc']],
  ['one between two of a page', asset('x', 45), ['fxe', 'dc']],
  ['one between two pages', asset('x', 35), ['fe', 'xdc']],
  ['one of the same moment with a higher id', asset('x', 40), ['fxe', 'dc']],
  ['one of the same moment with a lower id', asset('a', 40), ['fe', 'adc']],
  ['one beyond what is loaded', asset('x', 5), ['fe', 'dc']]
])('%s goes to its place', (_what, arrived, expected) => {
  expect(ids(withAsset(loaded, arrived))).toEqual(expected)
})

test('with everything loaded, the oldest goes to the end', () => {
  expect(ids(withAsset(pages(false, [asset('f', 50)]), asset('x', 5)))).toEqual(['fx'])
})

test('an asset that is already there is renewed without moving', () => {
  const next = withAsset(loaded, asset('e', 40, { preview: 'pending' }))
  expect(ids(next)).toEqual(ids(loaded))
  expect(next.pages[0]?.items[1]?.preview).toBe('pending')
})

test('an asset whose capture time became known moves, and is there once', () => {
  expect(ids(withAsset(loaded, asset('f', 25)))).toEqual(['e', 'dfc'])
})

test('what is in the bin is sorted by when it went there', () => {
  const binned = (id: string, takenMinute: number, binnedMinute: number) =>
    asset(id, takenMinute, {
      state: 'binned',
      binnedAt: new Date(Date.UTC(2026, 10, 22, 9, binnedMinute)).toISOString()
    })
  const bin = pages(false, [binned('a', 10, 50), binned('b', 50, 10)])
  expect(ids(withAsset(bin, binned('x', 59, 30)))).toEqual(['axb'])
  expect(ids(withAsset(bin, binned('b', 50, 55)))).toEqual(['ba'])
})

test('taking assets out leaves the rest; one that is not there changes nothing', () => {
  expect(ids(withoutAssets(loaded, new Set(['d', 'f'])))).toEqual(['e', 'c'])
  expect(withoutAssets(loaded, new Set(['z']))).toBe(loaded)
})

test.each<[string, Parameters<typeof belongsToList>[0], Partial<ListedAsset>, boolean]>([
  ['no filter', {}, {}, true],
  ['no filter, but in the bin', {}, { state: 'binned' }, false],
  ['what is in the bin', { bin: true }, { state: 'binned' }, true],
  ['what is in the bin, but it is not', { bin: true }, {}, false],
  ['its device', { device: 'd1' }, {}, true],
  ['another device', { device: 'd2' }, {}, false],
  ['its day and kind', { day: '2026-11-21', kind: 'image' }, {}, true],
  ['another day', { day: '2026-11-20' }, {}, false],
  ['another kind', { kind: 'video' }, {}, false],
  ['its tag', { tag: 'roof' }, { tags: ['roof', 'wet'] }, true],
  ['another tag', { tag: 'roof' }, { tags: [] }, false],
  ['words of its name', { text: 'jpg  DJI' }, { name: 'dji_1.JPG' }, true],
  ['a word that its name has not', { text: 'jpg roof' }, { name: 'dji_1.JPG' }, false]
])('a list with %s', (_what, search, change, expected) => {
  expect(belongsToList(search, asset('a', 1, change))).toBe(expected)
})
