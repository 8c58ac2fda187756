import { fireEvent, screen, within } from '@testing-library/react'
import { expect, test, vi } from 'vitest'
import { refusal, renderScreen } from '../../testing/render-screen.tsx'
import { AddController } from './AddController.tsx'
import { freeNumber } from './controller-tokens.ts'

const token = {
  id: 'a'.repeat(26),
  name: 'Controller 1',
  role: 'controller',
  workspaceIds: null,
  createdAt: '2026-11-21T01:00:00.000Z',
  lastUsedAt: null,
  revokedAt: null
}
const issued = (...items: unknown[]) => ({ 'GET /api/v1/tokens': { items } })

function open(answers: Record<string, unknown>) {
  const onClose = vi.fn()
  return { onClose, ...renderScreen(<AddController onClose={onClose} />, answers) }
}

async function make(name: string) {
  expect(await screen.findByDisplayValue(name)).toBeTruthy()
  fireEvent.click(screen.getByRole('button', { name: 'Make its token' }))
}

test('the default name is the first that no token ever had', () => {
  const nameOf = (number: number) => `RC ${number}`
  expect(freeNumber([], nameOf)).toBe(1)
  expect(freeNumber([{ name: 'RC 1' }, { name: 'RC 3' }], nameOf)).toBe(2)
})

test('a new token is shown with its address and survives Escape', async () => {
  const { calls, onClose } = open({
    ...issued(token),
    'POST /api/v1/tokens': { ...token, name: 'Controller 2', secret: 'fc_s3cret' }
  })
  await make('Controller 2')
  expect(await screen.findByText('fc_s3cret')).toBeTruthy()
  expect(await screen.findByText('http://192.168.1.10:8700')).toBeTruthy()
  expect(screen.getByRole('alert').textContent).toContain('This token is shown only now')
  expect(calls.slice(calls.indexOf('POST /api/v1/tokens'))).toContain('GET /api/v1/status')
  fireEvent.keyDown(screen.getByRole('dialog'), { key: 'Escape' })
  expect(onClose).not.toHaveBeenCalled()
  fireEvent.click(screen.getByRole('button', { name: 'Done' }))
  expect(onClose).toHaveBeenCalledTimes(1)
})

test('a token that could not be made says why', async () => {
  open({ ...issued(), 'POST /api/v1/tokens': refusal(403, 'forbidden') })
  await make('Controller 1')
  expect((await screen.findByRole('alert')).textContent).toContain('You are not allowed to do this')
})

test('revoking says what it does and asks first', async () => {
  const revoked = { ...token, id: 'b'.repeat(26), name: 'Old', revokedAt: token.createdAt }
  const person = { ...token, id: 'c'.repeat(26), name: 'Person', role: 'admin' }
  const { calls } = open({ ...issued(token, revoked, person), [`DELETE /api/v1/tokens/${token.id}`]: token })
  const row = await screen.findByTestId('controller-token')
  fireEvent.click(within(row).getByRole('button', { name: 'Revoke the token of "Controller 1"' }))
  const question = within(row).getByRole('alertdialog')
  expect(question.textContent).toContain('This cannot be undone')
  expect(calls).not.toContain(`DELETE /api/v1/tokens/${token.id}`)
  fireEvent.click(within(question).getByRole('button', { name: 'Revoke' }))
  expect(await screen.findByText('The token of "Controller 1" is revoked.')).toBeTruthy()
  expect(calls).toContain(`DELETE /api/v1/tokens/${token.id}`)
})
