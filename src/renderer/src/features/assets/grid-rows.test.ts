import { expect, test } from 'vitest'
import type { AssetSummary } from '../../../../shared/api/assets.ts'
import { type GridMove, layOutRows, moveInRows } from './grid-rows.ts'

const asset = (id: string, takenDay: string) => ({ id, takenDay }) as AssetSummary

// 21: a b c | d e     20: f     19: g h i | j
const assets = [
  ...['a', 'b', 'c', 'd', 'e'].map((id) => asset(id, '2026-11-21')),
  asset('f', '2026-11-20'),
  ...['g', 'h', 'i', 'j'].map((id) => asset(id, '2026-11-19'))
]
const rows = layOutRows(assets, 3, ({ takenDay }) => takenDay)

test('lines are filled day by day', () => {
  expect(rows.map((row) => (row.type === 'day' ? row.day : row.assets.map(({ id }) => id).join('')))).toEqual([
    '2026-11-21',
    'abc',
    'de',
    '2026-11-20',
    'f',
    '2026-11-19',
    'ghi',
    'j'
  ])
})

test.each<[string | null, GridMove, string | null]>([
  [null, 'right', 'a'],
  ['gone', 'down', 'a'],
  ['a', 'left', null],
  ['c', 'right', 'd'],
  ['e', 'right', 'f'],
  ['j', 'right', null],
  ['b', 'down', 'e'],
  ['c', 'down', 'e'],
  ['e', 'down', 'f'],
  ['f', 'up', 'd'],
  ['i', 'down', 'j'],
  ['j', 'down', 'j'],
  ['a', 'up', 'a'],
  ['b', 'pageDown', 'h'],
  ['j', 'pageUp', 'd'],
  ['e', 'first', 'a'],
  ['e', 'last', 'j']
])('from %s %s leads to %s', (from, move, expected) => {
  expect(moveInRows(rows, from, move)?.id ?? null).toBe(expected)
})

test('nothing to move to in an empty grid', () => {
  expect(moveInRows([], null, 'right')).toBeNull()
})
