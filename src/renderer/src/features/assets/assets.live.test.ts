import { type InfiniteData, QueryClient } from '@tanstack/react-query'
import { beforeEach, expect, test, vi } from 'vitest'
import type { AssetDetail, AssetSummary } from '../../../../shared/api/assets.ts'
import type { StoredEvent } from '../../../../shared/api/events.ts'
import { assetDetail } from '../../testing/asset-detail.ts'
import { assetsLive } from './assets.live.ts'
import { assetListQuery } from './assets.queries.ts'

const id = (letter: string) => letter.repeat(26)
const at = '2026-11-21T10:00:00.000Z'

function detail(letter: string, change: Partial<AssetDetail> = {}): AssetDetail {
  return assetDetail({ id: id(letter), name: `${letter}.JPG`, takenAt: at, ...change })
}

const event = (type: StoredEvent['type'], letter: string, data = {}): StoredEvent => ({
  seq: 1,
  type,
  subject: id(letter),
  at,
  data
})

let client: QueryClient
let answers: Record<string, () => Response>
let asked: string[]
const everything = assetListQuery({})
const videos = assetListQuery({ kind: 'video' })
const idsIn = (query: { queryKey: readonly unknown[] }) =>
  client
    .getQueryData<InfiniteData<{ items: AssetSummary[] }>>(query.queryKey)
    ?.pages.flatMap(({ items }) => items.map((asset) => asset.id[0]))
    .join('')

beforeEach(() => {
  client = new QueryClient()
  answers = {}
  asked = []
  vi.stubGlobal('fetch', async (url: string) => {
    const letter = url.at(-1) ?? ''
    asked.push(letter)
    const answer = answers[letter]
    if (answer === undefined) throw new TypeError('no route')
    return answer()
  })
  for (const query of [everything, videos])
    client.setQueryData(query.queryKey, { pages: [{ items: [], nextCursor: null }], pageParams: [null] })
  assetsLive.onReopen(client, false)
})

test('an arrived asset enters the lists it belongs to, asked for once however much happened to it', async () => {
  answers['a'] = () => Response.json(detail('a'))
  assetsLive.onStored?.(client, event('asset.arrived', 'a'))
  assetsLive.onStored?.(client, event('asset.updated', 'a'))
  assetsLive.onStored?.(client, event('rendition.ready', 'a'))
  await vi.waitFor(() => expect(idsIn(everything)).toBe('a'))
  expect(idsIn(videos)).toBe('')
  expect(asked).toEqual(['a'])
})

test('an asset that went to the bin, or is gone, leaves the lists', async () => {
  answers['a'] = () => Response.json(detail('a'))
  answers['b'] = () => Response.json(detail('b'))
  for (const letter of ['a', 'b']) assetsLive.onStored?.(client, event('asset.arrived', letter))
  await vi.waitFor(() => expect(idsIn(everything)).toBe('ba'))
  answers['a'] = () => Response.json(detail('a', { state: 'binned' }))
  answers['b'] = () =>
    Response.json(
      { type: 'about:blank', title: 'gone', status: 404, code: 'asset_not_found', requestId: 'r' },
      { status: 404 }
    )
  assetsLive.onStored?.(client, event('asset.binned', 'a'))
  assetsLive.onStored?.(client, event('asset.updated', 'b'))
  await vi.waitFor(() => expect(idsIn(everything)).toBe(''))
})

test('an asset that is deleted for good leaves the bin without being asked for', async () => {
  const bin = assetListQuery({ bin: true })
  client.setQueryData(bin.queryKey, { pages: [{ items: [], nextCursor: null }], pageParams: [null] })
  for (const letter of ['a', 'b']) {
    answers[letter] = () => Response.json(detail(letter, { state: 'binned', binnedAt: at }))
    assetsLive.onStored?.(client, event('asset.binned', letter))
  }
  await vi.waitFor(() => expect(idsIn(bin)).toBe('ba'))
  expect(idsIn(everything)).toBe('')
  assetsLive.onStored?.(client, event('asset.purged', 'b'))
  await vi.waitFor(() => expect(idsIn(bin)).toBe('a'))
  expect(asked.toSorted()).toEqual(['a', 'b'])
})

test('an asset that could not be asked for is asked for when the stream is back', async () => {
  assetsLive.onStored?.(client, event('asset.arrived', 'c'))
  await vi.waitFor(() => expect(asked).toEqual(['c']))
  expect(idsIn(everything)).toBe('')
  answers['c'] = () => Response.json(detail('c'))
  assetsLive.onReopen(client, false)
  await vi.waitFor(() => expect(idsIn(everything)).toBe('c'))
})

test('a dead job of no asset asks for nothing', async () => {
  answers['d'] = () => Response.json(detail('d'))
  assetsLive.onStored?.(client, event('job.dead', 'x', { jobId: id('x') }))
  assetsLive.onStored?.(client, event('job.dead', 'd', { jobId: id('y') }))
  await vi.waitFor(() => expect(idsIn(everything)).toBe('d'))
  expect(asked).toEqual(['d'])
})
