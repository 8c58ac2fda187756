import { fireEvent, screen, within } from '@testing-library/react'
import { afterEach, expect, test, vi } from 'vitest'
import type { Reference } from '../../../../shared/api/references.ts'
import { assetInUse } from '../../lib/asset-in-use.ts'
import { toasts } from '../../lib/toasts.ts'
import { renderScreen, status } from '../../testing/render-screen.tsx'
import { InUseQuestion } from './InUseQuestion.tsx'

const id = 'a'.repeat(26)
const asset = { id, name: 'A.JPG' }

function reference(letter: string, change: Partial<Reference> = {}): Reference {
  return {
    id: letter.repeat(26),
    assetId: id,
    kind: 'strong',
    namespace: 'reports',
    owner: letter,
    externalId: null,
    businessTag: null,
    createdAt: '2026-11-21T01:00:00.000Z',
    expiresAt: null,
    ...change
  }
}

const list = `GET /api/v1/assets/${id}/references`
const both = { items: [reference('b'), reference('c', { externalId: '7' })], nextCursor: null }

function ask(answers: Record<string, unknown>) {
  assetInUse.set(asset)
  return renderScreen(<InUseQuestion asset={asset} />, { [list]: both, ...answers })
}

afterEach(() => {
  assetInUse.set(null)
  toasts.set([])
})

test('whoever holds the file is named, and keeping it is the first answer', async () => {
  ask({})
  const dialog = await screen.findByRole('dialog', { name: '"A.JPG" is in use' })
  const rows = await within(dialog).findAllByTestId('reference')
  expect(rows.map((row) => within(row).getByText(/^reports/).textContent)).toEqual(['reports · b', 'reports · c · 7'])
  fireEvent.click(within(dialog).getByRole('button', { name: 'Keep it' }))
  expect(assetInUse.get()).toBeNull()
})

test('an administrator can move it to the bin anyway, and take that back', async () => {
  const { calls } = ask({
    [`DELETE /api/v1/assets/${id}`]: { outcome: 'binned', refCount: 2 },
    [`POST /api/v1/assets/${id}/restore`]: { refCount: 2, state: 'active' }
  })
  fireEvent.click(await screen.findByRole('button', { name: 'Move to bin anyway' }))
  fireEvent.click(await screen.findByRole('button', { name: 'Undo' }))
  expect(await screen.findByText('"A.JPG" is back.')).toBeTruthy()
  expect(calls.filter((call) => !call.startsWith('GET'))).toEqual([
    `DELETE /api/v1/assets/${id}`,
    `POST /api/v1/assets/${id}/restore`
  ])
  expect(assetInUse.get()).toBeNull()
})

test('an operator removes uses until the file is free', async () => {
  let items = both.items
  const answers = {
    'GET /api/v1/status': { ...status, role: 'operator' },
    get [list]() {
      return { items, nextCursor: null }
    },
    get [`DELETE /api/v1/references/${'c'.repeat(26)}`]() {
      items = items.slice(0, 1)
      return { assetId: id, refCount: 1, state: 'active' }
    },
    [`POST /api/v1/assets/${id}/references`]: { reference: reference('c'), isNew: true, refCount: 2 },
    [`DELETE /api/v1/assets/${id}`]: { outcome: 'binned', refCount: 1 }
  }
  assetInUse.set(asset)
  const { calls } = renderScreen(<InUseQuestion asset={asset} />, answers)
  expect(await screen.findByText(/Only an administrator may remove a file that several need/)).toBeTruthy()
  expect(screen.getByRole('button', { name: 'Move to bin anyway' }).hasAttribute('disabled')).toBe(true)
  fireEvent.click(await screen.findByRole('button', { name: 'Remove the use by reports · c · 7' }))
  expect(await screen.findByText('reports · c · 7 no longer uses the file.')).toBeTruthy()
  fireEvent.click(await screen.findByRole('button', { name: 'Move to bin' }))
  await vi.waitFor(() => expect(calls).toContain(`DELETE /api/v1/assets/${id}`))
})

test('a use that was removed is made anew by Undo', async () => {
  const { calls } = ask({
    [`DELETE /api/v1/references/${'b'.repeat(26)}`]: { assetId: id, refCount: 1, state: 'active' },
    [`POST /api/v1/assets/${id}/references`]: { reference: reference('b'), isNew: true, refCount: 2 }
  })
  fireEvent.click(await screen.findByRole('button', { name: 'Remove the use by reports · b' }))
  fireEvent.click(await screen.findByRole('button', { name: 'Undo' }))
  await vi.waitFor(() => expect(calls).toContain(`POST /api/v1/assets/${id}/references`))
})
