import { screen } from '@testing-library/react'
import i18next from 'i18next'
import { expect, test } from 'vitest'
import { startI18n } from '../../lib/i18n/i18n.ts'
import { refusal, renderScreen, status } from '../../testing/render-screen.tsx'
import { FieldScreen } from './FieldScreen.tsx'
import { laneErrorText } from './lane-error.ts'

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
  expect(screen.getByRole('button', { name: 'Add a controller' })).toBeTruthy()
})

test.each(['viewer', 'operator'])('a %s is told whom to ask for a token', async (role) => {
  renderScreen(<FieldScreen />, { 'GET /api/v1/field': nothing, 'GET /api/v1/status': { ...status, role } })
  expect(await screen.findByText(/Ask whoever runs this base for a token/)).toBeTruthy()
  expect(screen.queryByRole('button', { name: 'Add a controller' })).toBeNull()
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

test.each([
  [4_000_000, '25%', '1 MB of 4 MB', '25'],
  [null, null, '1 MB so far, total size not known', null]
])('a file of %s bytes on its way tells what is known', async (sizeBytes, percent, amount, barValue) => {
  const at = '2026-11-21T08:00:00.000Z'
  const current = { name: 'a.MP4', state: 'uploading', sizeBytes, receivedBytes: 1e6, assetId: null, error: null }
  const lane = {
    id: 'rc',
    name: 'RC',
    remoteAddress: '192.168.1.20',
    online: true,
    lastSeenAt: at,
    ...{ seen: 1, uploaded: 0, skipped: 0, failed: 0 },
    current: { ...current, updatedAt: at },
    bytesPerSecond: 500_000,
    lastError: null,
    recent: []
  }
  renderScreen(<FieldScreen />, { 'GET /api/v1/field': { lanes: [lane], flights: [] }, 'GET /api/v1/status': status })
  const shown = await screen.findByTestId('lane-current')
  expect(shown.textContent).toContain(amount)
  expect(shown.textContent).toContain('500 kB/s')
  expect(shown.querySelector('strong')?.textContent ?? null).toBe(percent)
  expect(screen.getByRole('progressbar').getAttribute('aria-valuenow')).toBe(barValue)
})

test('an error code without words of its own is named', () => {
  startI18n()
  expect(laneErrorText(i18next.t, 'store_full')).toContain('The disk of the base is full')
  expect(laneErrorText(i18next.t, 'NoSuchThing')).toBe('The media store refused the file: NoSuchThing')
  expect(laneErrorText(i18next.t, 'toString')).toBe('The media store refused the file: toString')
})
