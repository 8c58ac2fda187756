import { fireEvent, screen, waitFor } from '@testing-library/react'
import { expect, test, vi } from 'vitest'
import { assetDetail } from '../../testing/asset-detail.ts'
import { refusal, renderScreen } from '../../testing/render-screen.tsx'
import { PurgeQuestion } from './PurgeQuestion.tsx'

const asset = assetDetail({ state: 'binned', binnedAt: '2026-11-21T02:00:00.000Z', sizeBytes: 12_300_000 })
const address = `/api/v1/assets/${asset.id}`

function ask(detail: unknown, answer: unknown = { outcome: 'purged', refCount: 0 }) {
  const acts = { onClose: vi.fn(), onPurged: vi.fn() }
  const { calls } = renderScreen(<PurgeQuestion asset={asset} {...acts} />, {
    [`GET ${address}`]: detail,
    [`DELETE ${address}`]: answer
  })
  return { ...acts, deletions: () => calls.filter((call) => call.startsWith('DELETE')) }
}

const yes = () => screen.getByRole('button', { name: 'Delete for good' })

test('it says what becomes free, and deletes when told to', async () => {
  const { onClose, onPurged, deletions } = ask(asset)
  expect(await screen.findByText('This frees 12.3 MB.')).toBeTruthy()
  expect(deletions()).toEqual([])
  fireEvent.click(yes())
  expect(await screen.findByText('"DJI_0001.JPG" is deleted for good.')).toBeTruthy()
  expect([onPurged, onClose].map(({ mock }) => mock.calls.length)).toEqual([1, 1])
  expect(deletions()).toHaveLength(1)
})

test('it says when another file has the same bytes', async () => {
  ask({ ...asset, copies: 2 })
  expect(await screen.findByText(/This frees no space: another file has the same bytes/)).toBeTruthy()
})

test('a file that nothing is known of is not deleted', async () => {
  const { deletions } = ask(refusal(404, 'asset_not_found'))
  expect(await screen.findByText('This file is not in the base. It may have been removed.')).toBeTruthy()
  expect(yes().hasAttribute('disabled')).toBe(true)
  fireEvent.click(yes())
  expect(deletions()).toEqual([])
})

test('a refusal is told, and the file stays', async () => {
  const { onClose, onPurged } = ask(asset, refusal(409, 'asset_not_binned'))
  await screen.findByText('This frees 12.3 MB.')
  fireEvent.click(yes())
  expect(await screen.findByText('"DJI_0001.JPG" was not deleted. This file is not in the bin.')).toBeTruthy()
  await waitFor(() => expect(onClose).toHaveBeenCalledTimes(1))
  expect(onPurged).not.toHaveBeenCalled()
})
