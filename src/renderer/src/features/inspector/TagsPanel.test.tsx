import { fireEvent, screen, waitFor, within } from '@testing-library/react'
import { expect, test } from 'vitest'
import { assetDetail } from '../../testing/asset-detail.ts'
import { refusal, renderScreen, status } from '../../testing/render-screen.tsx'
import { TagsPanel } from './TagsPanel.tsx'

const asset = assetDetail({ tags: ['roof', 'wet'] })
const facets = { days: [], kinds: [], devices: [], tags: ['roof', 'wet', 'bridge'] }
const patch = `PATCH /api/v1/assets/${asset.id}`

function show(answers: Record<string, unknown>) {
  return renderScreen(<TagsPanel asset={asset} />, { 'GET /api/v1/assets/facets': facets, ...answers })
}

test('a tag that is typed is added', async () => {
  const { calls } = show({ [patch]: { ...asset, tags: ['roof', 'sunset', 'wet'] } })
  const input = await screen.findByRole('combobox', { name: 'Add a tag' })
  input.focus()
  fireEvent.change(input, { target: { value: 'sunset' } })
  fireEvent.keyDown(input, { key: 'Enter' })
  await waitFor(() => expect(calls).toContain(patch))
})

test('one that is removed can be taken back', async () => {
  const { calls } = show({ [patch]: { ...asset, tags: ['wet'] } })
  const input = await screen.findByRole('combobox', { name: 'Add a tag' })
  fireEvent.keyDown(input, { key: 'Backspace' })
  await screen.findByText('Removed: wet')
  fireEvent.click(screen.getByRole('button', { name: 'Undo' }))
  await waitFor(() => expect(calls.filter((call) => call === patch)).toHaveLength(2))
})

test('a refusal is told', async () => {
  show({ [patch]: refusal(409, 'asset_changed') })
  const input = await screen.findByRole('combobox', { name: 'Add a tag' })
  fireEvent.keyDown(input, { key: 'Backspace' })
  await screen.findByText(/The tags were not changed. Somebody else changed this file meanwhile/)
})

test('who may only look sees the tags, and nothing where there are none', async () => {
  show({ 'GET /api/v1/status': { ...status, role: 'viewer' } })
  const list = await screen.findByRole('list')
  expect(
    within(list)
      .getAllByRole('listitem')
      .map(({ textContent }) => textContent)
  ).toEqual(['roof', 'wet'])
  expect(screen.queryByRole('combobox')).toBeNull()
})
