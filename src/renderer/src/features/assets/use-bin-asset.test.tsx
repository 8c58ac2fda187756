import { fireEvent, screen } from '@testing-library/react'
import { expect, test, vi } from 'vitest'
import { assetInUse } from '../../lib/asset-in-use.ts'
import { refusal, renderScreen } from '../../testing/render-screen.tsx'
import { useBinAsset } from './use-bin-asset.ts'

const id = 'a'.repeat(26)

function BinButton() {
  const { bin } = useBinAsset()
  return <button type="button" data-testid="bin" onClick={() => void bin({ id, name: 'A.JPG' })} />
}

test('a file that several hold is not removed, and is asked about', async () => {
  renderScreen(<BinButton />, { [`DELETE /api/v1/assets/${id}`]: refusal(409, 'asset_in_use') })
  fireEvent.click(screen.getByTestId('bin'))
  await vi.waitFor(() => expect(assetInUse.get()).toEqual({ id, name: 'A.JPG' }))
  assetInUse.set(null)
})

test('what was brought back can be removed again, and what was removed brought back', async () => {
  function BringBackButton() {
    const { restore } = useBinAsset()
    return <button type="button" data-testid="restore" onClick={() => void restore({ id, name: 'A.JPG' })} />
  }
  const { calls } = renderScreen(<BringBackButton />, {
    [`POST /api/v1/assets/${id}/restore`]: { refCount: 1, state: 'active' },
    [`DELETE /api/v1/assets/${id}`]: { outcome: 'binned', refCount: 1 },
    [`GET /api/v1/assets/${id}`]: refusal(404, 'asset_not_found')
  })
  fireEvent.click(screen.getByTestId('restore'))
  await screen.findByText('"A.JPG" is back.')
  fireEvent.click(screen.getByRole('button', { name: 'Undo' }))
  await screen.findByText('"A.JPG" is in the bin.')
  fireEvent.click(screen.getByRole('button', { name: 'Undo' }))
  await screen.findByText('"A.JPG" is back.')
  // It is where it was: nothing is left to take back.
  expect(screen.queryByRole('button', { name: 'Undo' })).toBeNull()
  expect(calls.filter((call) => !call.startsWith('GET'))).toEqual([
    `POST /api/v1/assets/${id}/restore`,
    `DELETE /api/v1/assets/${id}`,
    `POST /api/v1/assets/${id}/restore`
  ])
})
