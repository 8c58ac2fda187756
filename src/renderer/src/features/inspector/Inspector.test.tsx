import { fireEvent, screen, within } from '@testing-library/react'
import { expect, test, vi } from 'vitest'
import type { Job } from '../../../../shared/api/jobs.ts'
import type { RenditionStatus } from '../../../../shared/api/renditions.ts'
import { assetDetail as asset, noCapture as capture } from '../../testing/asset-detail.ts'
import { refusal, renderScreen, status } from '../../testing/render-screen.tsx'
import { Inspector } from './Inspector.tsx'

const id = 'a'.repeat(26)
const at = '2026-11-21T01:00:00.000Z'
const job: Job = {
  id: 'b'.repeat(26),
  name: 'rendition.thumbnails',
  state: 'dead',
  assetId: id,
  attempt: 5,
  maxAttempts: 5,
  progress: null,
  runAt: at,
  errorMessage: 'premature end',
  createdAt: at
}

function inspect(answer: unknown, more: Record<string, unknown> = {}, covered = false) {
  const acts = { onGo: vi.fn(), onClose: vi.fn(), onBin: vi.fn(), onRestore: vi.fn(), onPurge: vi.fn() }
  const neighbours = { previousId: null, nextId: null, index: 1, total: 3, more: false }
  const { calls } = renderScreen(
    <Inspector
      assetId={id}
      neighbours={neighbours}
      place="assets"
      covered={covered}
      references={() => null}
      {...acts}
    />,
    Object.assign(more, { [`GET /api/v1/assets/${id}`]: answer })
  )
  return { ...acts, calls }
}

const factOf = async (name: string) => (await screen.findByText(name)).nextElementSibling

test('the serial numbers of drone and camera are told where the file has them', async () => {
  inspect(asset({ capture: { ...capture, droneSerial: '1581F0TEST' } }))
  expect((await factOf('Aircraft serial number'))?.textContent).toBe('1581F0TEST')
  expect(screen.queryByText('Camera serial number')).toBeNull()
})

test('a capture time is told by the clock of its place', async () => {
  inspect(asset())
  expect(await factOf('Taken')).toHaveProperty('textContent', 'Nov 21, 2026, 09:00:00 (UTC+08:00)')
})

test('an unknown zone is said to be unknown', async () => {
  inspect(asset({ takenZoneKnown: false, capture }))
  expect((await factOf('Taken'))?.textContent).toBe('Nov 21, 2026, 09:00:00 zone unknown')
})

test.each([
  ['a fix', 47.5, 8.25, '47.500000, 8.250000'],
  ['0, 0', 0, 0, 'No GPS fix when this was taken'],
  ['nothing', null, null, 'The file does not say where it was taken']
])('a position of %s', async (_what, latitude, longitude, expected) => {
  inspect(asset({ capture: { ...capture, latitude, longitude } }))
  expect(await screen.findByText(expected)).toBeTruthy()
})

test('damage is told with what to do about it', async () => {
  inspect(asset({ damage: 'truncated' }))
  const notice = await screen.findByRole('alert')
  expect(notice.textContent).toContain('The file is cut off')
  expect(notice.textContent).toContain('Keep the memory card')
})

test('work that was given up can be tried again', async () => {
  const { calls } = inspect(asset({ jobs: [job] }), {
    [`POST /api/v1/jobs/${job.id}/retry`]: { ...job, state: 'queued', attempt: 0 }
  })
  const row = await screen.findByTestId('job')
  expect(row.textContent).toContain('Making previews')
  expect(row.textContent).toContain('premature end')
  fireEvent.click(within(row).getByRole('button', { name: 'Try again' }))
  expect(await screen.findByText('It is queued again.')).toBeTruthy()
  expect(calls).toContain(`POST /api/v1/jobs/${job.id}/retry`)
})

test('a refused retry says why', async () => {
  inspect(asset({ jobs: [job] }), { [`POST /api/v1/jobs/${job.id}/retry`]: refusal(403, 'forbidden') })
  fireEvent.click(await screen.findByRole('button', { name: 'Try again' }))
  expect(await screen.findByText(/You are not allowed to do this/)).toBeTruthy()
})

const film = () => asset({ kind: 'video', mimeType: 'video/mp4', capture: { ...capture, videoCodec: 'hvc1' } })
const renditions = `/api/v1/assets/${id}/renditions`
const proxy = (state: RenditionStatus['state'], more: Partial<RenditionStatus> = {}): RenditionStatus => ({
  ...{ name: 'proxy', state, problem: null, jobId: null, progress: null, path: `${renditions}/proxy`, files: [] },
  ...more
})
const theFilm = () => screen.findByLabelText('DJI_0001.JPG', { selector: 'video' })

test('a film the browser cannot play is prepared for it, and then plays', async () => {
  const answers: Record<string, unknown> = {
    [`POST ${renditions}`]: proxy('queued'),
    [`GET ${renditions}`]: { items: [proxy('running', { progress: 0.4 })] }
  }
  inspect(film(), answers)
  fireEvent.error(await theFilm())
  expect(await screen.findByText('This film is being prepared for this screen')).toBeTruthy()
  const bar = () => screen.getByRole('progressbar', { name: 'This film is being prepared for this screen' })
  await vi.waitFor(() => expect(bar().getAttribute('aria-valuenow')).toBe('40'))
  expect(screen.getByText(/cannot play hvc1/)).toBeTruthy()
  answers[`GET ${renditions}`] = { items: [proxy('ready')] }
  await vi.waitFor(async () => expect((await theFilm()).getAttribute('src')).toBe(`${renditions}/proxy`), {
    timeout: 5000
  })
})

test('a prepared film that does not play either is offered for download', async () => {
  inspect(film(), { [`POST ${renditions}`]: proxy('ready') })
  fireEvent.error(await theFilm())
  await vi.waitFor(async () => expect((await theFilm()).getAttribute('src')).toBe(`${renditions}/proxy`))
  fireEvent.error(await theFilm())
  expect(await screen.findByText(/cannot play this video \(hvc1\)/)).toBeTruthy()
})

test.each<[RenditionStatus, RegExp]>([
  [proxy('unavailable', { problem: 'ffmpeg_missing' }), /if ffmpeg were installed/],
  [proxy('unavailable', { problem: 'switched_off' }), /switched off/],
  [proxy('failed'), /Jobs tells why/]
])('a film that cannot be prepared says why', async (status, reason) => {
  inspect(film(), { [`POST ${renditions}`]: status })
  fireEvent.error(await theFilm())
  expect(await screen.findByText(reason)).toBeTruthy()
})

test('a film the browser cannot play is offered for download', async () => {
  inspect(film(), { [`POST ${renditions}`]: proxy('unavailable', { problem: 'unreadable' }) })
  fireEvent.error(await theFilm())
  const message = await screen.findByText(/cannot play this video \(hvc1\)/)
  const link = within(message.parentElement as HTMLElement).getByRole('link', { name: 'Download' })
  expect(link.getAttribute('href')).toBe(`/media/${id}?download=true`)
})

test('a stream leads to where it is live and recorded', async () => {
  const sourceId = 's'.repeat(26)
  inspect(asset({ kind: 'stream', metadata: { source_id: sourceId } }))
  expect((await screen.findByRole('link', { name: 'Watch it live' })).getAttribute('href')).toBe(`/live/${sourceId}`)
  expect(screen.getByRole('link', { name: 'What was recorded of it' }).getAttribute('href')).toBe(
    `/recordings/${sourceId}`
  )
})

test('an asset that does not exist is told apart from an outage', async () => {
  const { onClose } = inspect(refusal(404, 'asset_not_found'))
  expect(await screen.findByText('This file is not in the base')).toBeTruthy()
  expect(screen.queryByRole('link', { name: 'Download' })).toBeNull()
  expect(screen.getByRole('button', { name: 'Download' }).hasAttribute('disabled')).toBe(true)
  fireEvent.click(screen.getByRole('button', { name: 'Back to Assets' }))
  expect(onClose).toHaveBeenCalledTimes(1)
})

const binned = () => asset({ state: 'binned', binnedAt: new Date(Date.now() - 18.5 * 86_400_000).toISOString() })

test('an asset in the bin tells when it goes, is offered back, and Delete asks to delete it for good', async () => {
  const { onRestore, onBin, onPurge } = inspect(binned())
  fireEvent.click(await screen.findByRole('button', { name: 'Bring back' }))
  expect(screen.getByRole('alert').textContent).toMatch(
    /^This file is in the binIt is deleted for good in 12 days, on .+, 20\d\d\."Bring back" returns it/
  )
  expect(onRestore).toHaveBeenCalledTimes(1)
  await screen.findByRole('button', { name: 'Delete for good' })
  fireEvent.keyDown(document.documentElement, { key: 'Delete' })
  expect(onPurge).toHaveBeenCalledTimes(1)
  expect(onBin).not.toHaveBeenCalled()
})

test('an operator brings back, and cannot delete for good', async () => {
  const { onPurge } = inspect(binned(), { 'GET /api/v1/status': { ...status, role: 'operator' } })
  expect(await screen.findByRole('button', { name: 'Bring back' })).toBeTruthy()
  expect(screen.queryByRole('button', { name: 'Delete for good' })).toBeNull()
  fireEvent.keyDown(document.documentElement, { key: 'Delete' })
  expect(onPurge).not.toHaveBeenCalled()
})

test('a question above it has the keys', async () => {
  const { onPurge, onClose } = inspect(binned(), {}, true)
  await screen.findByRole('button', { name: 'Delete for good' })
  for (const key of ['Delete', 'Escape']) fireEvent.keyDown(document.documentElement, { key })
  expect(onPurge).not.toHaveBeenCalled()
  expect(onClose).not.toHaveBeenCalled()
})

test('the keyboard moves to the bin', async () => {
  const { onBin } = inspect(asset())
  await screen.findByText('2 of 3')
  await screen.findByRole('button', { name: 'Move to bin' })
  await factOf('Taken')
  fireEvent.keyDown(document.documentElement, { key: 'Delete' })
  expect(onBin).toHaveBeenCalledTimes(1)
})

test('a viewer is not offered what a viewer may not do', async () => {
  const { onBin, calls } = inspect(asset({ jobs: [job] }), { 'GET /api/v1/status': { ...status, role: 'viewer' } })
  expect(await screen.findByTestId('job')).toBeTruthy()
  expect(screen.getByRole('link', { name: 'Download' })).toBeTruthy()
  await vi.waitFor(() => expect(calls).toContain('GET /api/v1/status'))
  for (const name of ['Move to bin', 'Try again']) expect(screen.queryByRole('button', { name })).toBeNull()
  fireEvent.keyDown(document.documentElement, { key: 'Delete' })
  expect(onBin).not.toHaveBeenCalled()
})
