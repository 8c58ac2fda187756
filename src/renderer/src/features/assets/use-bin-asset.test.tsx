import { fireEvent, screen } from '@testing-library/react'
import { expect, test } from 'vitest'
import { renderScreen } from '../../testing/render-screen.tsx'
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
