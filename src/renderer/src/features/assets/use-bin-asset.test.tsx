import { fireEvent, screen } from '@testing-library/react'
import { expect, test } from 'vitest'
import { refusal, renderScreen } from '../../testing/render-screen.tsx'
import { useBinAsset } from './use-bin-asset.ts'

const id = 'a'.repeat(26)

function BinButton() {
  const { bin } = useBinAsset()
  return <button type="button" data-testid="bin" onClick={() => void bin({ id, name: 'A.JPG' })} />
}

const reference = (change: object) => ({
  id: 'b'.repeat(26),
  assetId: id,
  kind: 'strong',
  namespace: 'reports',
  owner: 'north',
  externalId: null,
  businessTag: null,
  createdAt: '2026-11-21T01:00:00.000Z',
  expiresAt: null,
  ...change
})

function refuse(details?: object) {
  const problem = { type: 'about:blank', title: 't', status: 409, code: 'asset_in_use', requestId: 'r', details }
  renderScreen(<BinButton />, { [`DELETE /api/v1/assets/${id}`]: Response.json(problem, { status: 409 }) })
  fireEvent.click(screen.getByTestId('bin'))
}

test('a file in use is not removed, and its users are named', async () => {
  refuse({
    references: [
      reference({ namespace: 'pilot', owner: 'team' }),
      reference({}),
      reference({ externalId: '7' }),
      reference({ externalId: '8' }),
      reference({ externalId: '9' })
    ]
  })
  const message = await screen.findByText(/^"A.JPG" was not removed, because it is in use/)
  expect(message.textContent).toContain(
    'Used by: Workspace team (uploaded by a controller); reports · north; reports · north · 7; 2 more.'
  )
})

test('without a list the message says only that it is in use', async () => {
  refuse()
  expect(await screen.findByText(/"A.JPG" was not removed. This file is still in use elsewhere/)).toBeTruthy()
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
