import { fireEvent, screen, within } from '@testing-library/react'
import i18next from 'i18next'
import { expect, test } from 'vitest'
import { startI18n } from '../../lib/i18n/i18n.ts'
import { refusal, renderScreen, status } from '../../testing/render-screen.tsx'
import { FieldScreen } from './FieldScreen.tsx'
import { laneErrorText } from './lane-error.ts'

const nothing = { lanes: [], flights: [], refusedSignIns: [] }
const at = '2026-11-21T08:00:00.000Z'
const laneOf = (change: object) => ({
  id: 'rc',
  name: 'RC',
  remoteAddress: '192.168.1.20',
  online: true,
  lastSeenAt: at,
  ...{ seen: 1, uploaded: 0, skipped: 0, failed: 0, damaged: 0 },
  current: null,
  bytesPerSecond: 0,
  lastError: null,
  troubled: [],
  recent: [],
  ...change
})
const fileOf = (name: string, change: object) => ({
  ...{ name, state: 'uploaded', sizeBytes: 10, receivedBytes: 10 },
  ...{ assetId: null, error: null, damage: null, updatedAt: at },
  ...change
})

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
  expect(screen.queryByText(/terminal/)).toBeNull()
})

test('the command for a token is the one the base tells', async () => {
  const tokenCommand = `cd '/opt/flightcase' && npx flightcase token create --data-dir '/srv/data'`
  renderScreen(<FieldScreen />, {
    'GET /api/v1/field': nothing,
    'GET /api/v1/status': { ...status, controllersCanPair: false, tokenCommand }
  })
  expect(await screen.findByText(tokenCommand)).toBeTruthy()
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

test.each([
  [['http://127.0.0.1:8811'], ['http://127.0.0.1:9111'], 'embedded', '"--field 0.0.0.0:8811 --s3 0.0.0.0:9111"'],
  [['http://127.0.0.1:8811'], ['http://192.168.1.10:9111'], 'embedded', '"--field 0.0.0.0:8811"'],
  [['http://192.168.1.10:8700'], ['http://[::1]:9111'], 'embedded', '"--s3 0.0.0.0:9111"'],
  [['http://192.168.1.10:8700'], ['http://localhost:9000'], 'external', 'Set FLIGHTCASE_S3_PUBLIC_ENDPOINT']
])('with controllers at %s and files at %s the way out is told', async (fieldUrls, s3Urls, mode, how) => {
  renderScreen(<FieldScreen />, {
    'GET /api/v1/field': nothing,
    'GET /api/v1/status': { ...status, fieldUrls, s3Urls, store: { ...status.store, mode } }
  })
  expect((await screen.findByRole('alert')).textContent).toContain(how)
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
  const current = fileOf('a.MP4', { state: 'uploading', sizeBytes, receivedBytes: 1e6 })
  const lane = laneOf({ current, bytesPerSecond: 500_000 })
  renderScreen(<FieldScreen />, { 'GET /api/v1/field': { ...nothing, lanes: [lane] } })
  const shown = await screen.findByTestId('lane-current')
  expect(shown.textContent).toContain(amount)
  expect(shown.textContent).toContain('500 kB/s')
  expect(shown.querySelector('strong')?.textContent ?? null).toBe(percent)
  expect(screen.getByRole('progressbar').getAttribute('aria-valuenow')).toBe(barValue)
})

test('a lane whose files are damaged is red, lists them and says what to do', async () => {
  const damaged = [1, 2, 3].map((number) => fileOf(`DJI_000${number}.JPG`, { damage: 'unreadable' }))
  const lane = laneOf({ seen: 3, uploaded: 3, damaged: 3, troubled: damaged })
  renderScreen(<FieldScreen />, { 'GET /api/v1/field': { ...nothing, lanes: [lane] } })
  expect((await screen.findByTestId('lane-verdict')).textContent).toBe(
    '3 of 3 are here, 3 of them damaged. Keep the card'
  )
  expect(screen.getByTestId('lane').dataset['tone']).toBe('bad')
  const rows = within(screen.getByTestId('lane-troubled')).getAllByRole('listitem')
  expect(rows).toHaveLength(3)
  expect(rows[0]?.textContent).toContain('Damaged')
  expect(rows[0]?.textContent).toContain('The file cannot be read')
})

test('failed files are there to see; more than a few on request, and what is not listed is counted', async () => {
  const failed = Array.from({ length: 200 }, (_, number) =>
    fileOf(`DJI_${number}.JPG`, { state: 'failed', error: 'upload_failed' })
  )
  const lane = laneOf({ seen: 250, failed: 230, troubled: failed })
  renderScreen(<FieldScreen />, { 'GET /api/v1/field': { ...nothing, lanes: [lane] } })
  const list = within(await screen.findByTestId('lane-troubled'))
  expect(list.getAllByRole('listitem')).toHaveLength(5)
  fireEvent.click(list.getByRole('button', { name: 'Show all 230' }))
  expect(list.getAllByRole('listitem')).toHaveLength(200)
  expect(list.getByText('and 30 more')).toBeTruthy()
})

test.each([
  ['the fresh screen', []],
  ['the board', [laneOf({})]]
])('a wrong token is told on %s', async (_where, lanes) => {
  const refusedSignIns = ['192.168.1.9', '192.168.1.8'].map((remoteAddress) => ({ remoteAddress, at }))
  renderScreen(<FieldScreen />, { 'GET /api/v1/field': { ...nothing, lanes, refusedSignIns } })
  expect((await screen.findByRole('alert')).textContent).toMatch(
    /^192.168.1.9 and 192.168.1.8 tried to sign in with a wrong token, \d\d:\d\d/
  )
})

test('an error code without words of its own is named', () => {
  startI18n()
  expect(laneErrorText(i18next.t, 'store_full')).toContain('The disk of the base is full')
  expect(laneErrorText(i18next.t, 'NoSuchThing')).toBe('The media store refused the file: NoSuchThing')
  expect(laneErrorText(i18next.t, 'toString')).toBe('The media store refused the file: toString')
})
