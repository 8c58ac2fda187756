import { screen } from '@testing-library/react'
import { expect, test } from 'vitest'
import { refusal, renderScreen } from '../../testing/render-screen.tsx'
import { FieldScreen } from './FieldScreen.tsx'
import { laneErrorText } from './lane-error.ts'

const status = {
  version: '1.0.0',
  startedAt: '2026-11-21T01:00:00.000Z',
  role: 'admin',
  fieldUrls: ['http://192.168.1.10:8700'],
  s3Urls: [],
  controllersCanPair: true,
  store: { mode: 'embedded', reachable: true, writable: true, freeBytes: null, problem: null },
  ffmpeg: { found: false, path: null }
}
const nothing = { lanes: [], flights: [] }

test('without controllers the addresses to type are shown', async () => {
  renderScreen(<FieldScreen />, { 'GET /api/v1/field': nothing, 'GET /api/v1/status': status })
  expect(await screen.findByText('http://192.168.1.10:8700')).toBeTruthy()
  expect(screen.queryByRole('alert')).toBeNull()
})

test('a base that no controller can sign in to says so', async () => {
  renderScreen(<FieldScreen />, {
    'GET /api/v1/field': nothing,
    'GET /api/v1/status': { ...status, controllersCanPair: false }
  })
  expect((await screen.findByRole('alert')).textContent).toContain('No controller can sign in yet')
})

test('a computer without a network says so', async () => {
  renderScreen(<FieldScreen />, {
    'GET /api/v1/field': nothing,
    'GET /api/v1/status': { ...status, fieldUrls: [] }
  })
  expect((await screen.findByRole('alert')).textContent).toContain('no network address')
})

test('an address that only this computer reaches is told', async () => {
  renderScreen(<FieldScreen />, {
    'GET /api/v1/field': nothing,
    'GET /api/v1/status': { ...status, fieldUrls: ['http://127.0.0.1:8700'] }
  })
  expect((await screen.findByRole('alert')).textContent).toContain('Controllers cannot reach this address')
})

test('a board that cannot be read can be asked for again', async () => {
  renderScreen(<FieldScreen />, { 'GET /api/v1/field': refusal(500, 'internal_error'), 'GET /api/v1/status': status })
  expect(await screen.findByText(/Something went wrong inside the base/)).toBeTruthy()
  expect(screen.getByRole('button', { name: 'Try again' })).toBeTruthy()
})

test('an error code without words is shown as it is', () => {
  const t = ((key: string) => `<${key}>`) as Parameters<typeof laneErrorText>[0]
  expect(laneErrorText(t, 'store_full')).toBe('<field.error.store_full>')
  expect(laneErrorText(t, 'NoSuchThing')).toBe('NoSuchThing')
  expect(laneErrorText(t, 'toString')).toBe('toString')
})
