import { fireEvent, screen, within } from '@testing-library/react'
import { expect, test, vi } from 'vitest'
import type { DamagedAsset, Storage } from '../../../../shared/api/storage.ts'
import { setPreferences } from '../../lib/preferences.ts'
import { renderScreen, status } from '../../testing/render-screen.tsx'
import { StorageScreen } from './StorageScreen.tsx'

const GB = 1e9
const healthy: Storage = {
  mode: 'embedded',
  place: '/srv/data/store',
  bucket: 'media',
  trouble: null,
  reported: null,
  credentialsRefused: null,
  latencyMs: 3,
  clockDifferenceMs: 0,
  disk: { totalBytes: 512 * GB, freeBytes: 80 * GB, availableBytes: 57 * GB },
  assetTotal: 1234,
  assetBytes: 400 * GB,
  usage: { objects: 4000, storedBytes: 410 * GB, unfinishedUploads: 0, unfinishedBytes: 0, idleUploads: 0 },
  room: { flights: 3, flightBytes: 18 * GB, like: 'today' },
  scrub: { state: 'idle', finishedAt: '2026-11-20T12:00:00.000Z', roundBytes: 0, checkedBytes: 0 },
  index: { problem: null, copiedAt: '2026-11-21T12:00:00.000Z' },
  damagedAssets: 0,
  damagedOthers: 0,
  notConnected: [],
  refused: []
}
const path = 'GET /api/v1/storage'
const show = (change: Partial<Storage> = {}, answers = {}) =>
  renderScreen(<StorageScreen />, { [path]: { ...healthy, ...change }, ...answers })
const verdict = async () => (await screen.findByTestId('verdict')).textContent
const room = () => screen.getByTestId('room').textContent

test('a store that is well says how many flights fit, and of what that is counted', async () => {
  show()
  expect(await verdict()).toBe('The store is in order')
  expect(room()).toBe('Room for about 3 flights like today’s')
  expect(screen.getByText('57 GB are free for media. Such a flight takes about 18 GB.')).toBeTruthy()
  const legend = within(screen.getByRole('list', { name: 'What the disk is filled with' })).getAllByRole('listitem')
  expect(legend.map(({ textContent }) => textContent)).toEqual([
    'Media and previews410 GB',
    'Other files22 GB',
    'Kept free23 GB',
    'Free for media57 GB'
  ])
  expect(screen.getByText('1,234 files belong to this base, 400 GB.')).toBeTruthy()
  expect(screen.getByText('No damage is known.')).toBeTruthy()
  expect(screen.getByText(/^The list of all files was copied for safety, .* ago\.$/)).toBeTruthy()
})

test.each([
  [{ flights: 1, flightBytes: 50 * GB, like: 'today' }, 57, 'Room for about one flight like today’s'],
  [{ flights: 2, flightBytes: 20 * GB, like: 'latest' }, 57, 'Room for about 2 flights like the latest'],
  [{ flights: 100, flightBytes: 1, like: 'latest' }, 57, 'Room for more than 100 flights like the latest'],
  [{ flights: 0, flightBytes: 60 * GB, like: 'today' }, 57, 'Not enough room for another flight like today’s'],
  [null, 57, 'Room for about 5,700 photos, or 1.3 hours of 4K video'],
  [null, 0.5, 'Room for about 50 photos, or 40 seconds of 4K video'],
  [null, 0.001, 'No room left']
] as const)('room is told as %j with %d GB', async (flights, gigabytes, text) => {
  show({ room: flights, disk: { totalBytes: 512 * GB, freeBytes: 80 * GB, availableBytes: gigabytes * GB } })
  await verdict()
  expect(room()).toBe(text)
})

test('whoever cannot fly once more is warned', async () => {
  show({ room: { flights: 0, flightBytes: 60 * GB, like: 'today' } })
  expect(await verdict()).toBe('Make room before the next flight')
})

test.each([
  ['full', /store is full/, /Empty the bin/],
  ['read_only', /takes no more writes/, /copy what is on it/],
  ['unplugged', /not there/, /Nothing was deleted/],
  ['unreachable', /does not answer/, /in its network/],
  ['other_store', /does not hold the files/, /No file is taken for lost/]
] as const)('%s is told with what helps', async (trouble, what, help) => {
  show({ trouble, reported: 'connect ECONNREFUSED', usage: null, disk: null, scrub: null })
  expect(await verdict()).toMatch(what)
  expect(screen.getByText(help)).toBeTruthy()
  expect(screen.getByText('connect ECONNREFUSED')).toBeTruthy()
})

test('an index that is damaged leads to Doctor', async () => {
  show({ index: { problem: 'row 7 missing', copiedAt: null }, damagedAssets: 0 })
  expect(await verdict()).toBe('The index of the store is damaged')
  expect(screen.getByRole('link', { name: 'Doctor says what to do' })).toBeTruthy()
  expect(screen.queryByText(/was copied for safety/)).toBeNull()
})

test('damaged files are told with their flight and with what brings them back', async () => {
  const asset: DamagedAsset = {
    id: 'a'.repeat(26),
    workspaceId: 'w',
    name: 'DJI_0001.JPG',
    sizeBytes: 12e6,
    takenAt: '2026-11-20T09:00:00.000Z',
    damage: 'bytes_missing',
    flightName: 'East slope',
    deviceName: 'M350',
    remedy: 'send_again'
  }
  const report = { ...asset, id: 'b'.repeat(26), name: 'report.pdf', flightName: null, remedy: 'upload_again' }
  show(
    { damagedAssets: 2, damagedOthers: 1 },
    { 'GET /api/v1/storage/damaged': { items: [report, asset], nextCursor: null } }
  )
  expect(await verdict()).toBe('2 files are damaged')
  const rows = await screen.findAllByTestId('damaged')
  expect(rows.map(({ textContent }) => textContent)).toEqual([
    expect.stringMatching(/DJI_0001.JPG.*Flight: East slope · M350 · .* · 12 MB/),
    expect.stringMatching(/report\.pdf/)
  ])
  expect(screen.getByText(/put the memory card into the controller/)).toBeTruthy()
  expect(screen.getByText(/Upload these files again/)).toBeTruthy()
  expect(
    screen.getByText('1 preview or the like is damaged, too. It is made again when somebody looks at it.')
  ).toBeTruthy()
  expect(screen.queryByText('No damage is known.')).toBeNull()
})

test('the check of all files is begun, and shows how far it is', async () => {
  const running = { state: 'running', finishedAt: null, roundBytes: 400 * GB, checkedBytes: 100 * GB }
  const { calls } = show({}, { 'POST /api/v1/storage/scrub': running })
  fireEvent.click(await screen.findByRole('button', { name: 'Check all files now' }))
  await vi.waitFor(() => expect(calls).toContain('POST /api/v1/storage/scrub'), 20_000)
  expect(await screen.findByText(/All files are checked now/)).toBeTruthy()
})

test('while it runs it is not begun again; while it rests it says why', async () => {
  show({ scrub: { state: 'waiting', finishedAt: null, roundBytes: 400 * GB, checkedBytes: 100 * GB } })
  await verdict()
  expect(screen.getByText(/rests while files arrive/).textContent).toContain('100 GB of 400 GB')
  expect(screen.getByRole('progressbar').getAttribute('aria-valuenow')).toBe('25')
  expect(screen.queryByRole('button', { name: 'Check all files now' })).toBeNull()
})

test('of an external store it is told what can be known', async () => {
  const place = 'http://store.lan:9000'
  show({ mode: 'external', place, disk: null, usage: null, room: null, scrub: null, clockDifferenceMs: -400_000 })
  expect(await verdict()).toBe('The store is in order')
  expect(room()).toBe('How much room there is, only the store knows')
  expect(screen.getByText('A small file was written, read and deleted within 3 ms.')).toBeTruthy()
  expect(screen.getByText(/differ by 7 minutes/)).toBeTruthy()
  expect(screen.getByText(place)).toBeTruthy()
})

const elsewhere = { place: 'http://store.lan:9000', disk: null, usage: null, room: null, scrub: null, index: null }

test('behind the gateway it is said where the files really are', async () => {
  show({ mode: 'gateway', ...elsewhere })
  expect(await verdict()).toBe('The store is in order')
  expect(screen.getByText(/the files lie in the store, not here/)).toBeTruthy()
  expect(screen.getByText(elsewhere.place)).toBeTruthy()
  expect(screen.getByText('media')).toBeTruthy()
  expect(screen.getByText('A small file was written, read and deleted within 3 ms.')).toBeTruthy()
})

test('a store that gives controllers no keys is told with what it says', async () => {
  show({ mode: 'external', ...elsewhere, credentialsRefused: 'not authorized to perform: sts:AssumeRole' })
  expect(await verdict()).toMatch(/gives controllers no keys/)
  expect(screen.getByText('not authorized to perform: sts:AssumeRole')).toBeTruthy()
  expect(screen.getByText(/Test the connection in Settings/)).toBeTruthy()
})

test.each(['external', 'gateway'] as const)(
  'nothing is said of a disk where the store is elsewhere (%s)',
  async (mode) => {
    show(
      { mode, ...elsewhere, trouble: 'full', damagedAssets: 1 },
      { 'GET /api/v1/storage/damaged': { items: [], nextCursor: null } }
    )
    expect(await verdict()).toMatch(/store is full/)
    expect(await screen.findByText(/from a backup of the store/)).toBeTruthy()
    expect(document.body.textContent).not.toMatch(/disk/i)
    setPreferences({ language: 'zh-CN' })
    expect(await screen.findByText(/从存储的备份中恢复/)).toBeTruthy()
    expect(document.body.textContent).not.toMatch(/磁盘/)
  }
)

test('uploads that stand still and refused requests are told, in Chinese too', async () => {
  const line = {
    who: 'RC-7',
    isController: true,
    operation: 'PutObject',
    resource: 'media/media/other/a.JPG',
    remoteAddress: '192.168.1.20',
    count: 12,
    lastAt: new Date().toISOString()
  }
  show({ usage: { ...healthy.usage!, unfinishedUploads: 2, unfinishedBytes: 3 * GB, idleUploads: 1 }, refused: [line] })
  expect(await screen.findByText('One of them has stood still for a day.')).toBeTruthy()
  expect(screen.getByText('PutObject, 12 times')).toBeTruthy()
  setPreferences({ language: 'zh-CN' })
  expect(await screen.findByText('PutObject，12 次')).toBeTruthy()
  expect(room()).toBe('大约还能容纳 3 次与今天相当的飞行')
})

test('a link for some workspaces is told why there is nothing to see', async () => {
  const { calls } = renderScreen(<StorageScreen />, { 'GET /api/v1/status': { ...status, workspaceIds: ['alpha'] } })
  expect(await screen.findByText('This takes a link for the whole base')).toBeTruthy()
  expect(calls).not.toContain(path)
})

test('files in a store that is not connected are told with where they are, and not as damaged', async () => {
  const elsewhere = { place: 'https://s3.example', bucket: 'media', assetTotal: 1200, assetBytes: 5 * GB }
  show({ notConnected: [elsewhere, { place: null, bucket: null, assetTotal: 1, assetBytes: GB }] })
  expect(await verdict()).toBe('The store is in order')
  expect(screen.getAllByTestId('not-connected').map(({ textContent }) => textContent)).toEqual([
    'https://s3.example · media1,200 files, 5 GB',
    'A store used before1 file, 1 GB'
  ])
})
