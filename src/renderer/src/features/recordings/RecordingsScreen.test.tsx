import { fireEvent, screen, within } from '@testing-library/react'
import { useState } from 'react'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Clip, RecordingSegment, RecordingSession } from '../../../../shared/api/recordings.ts'
import { toasts } from '../../lib/toasts.ts'
import { mediaSource, sourceList } from '../../testing/media-source.ts'
import { refusal, renderScreen, status } from '../../testing/render-screen.tsx'
import { RecordingsScreen } from './RecordingsScreen.tsx'

const id = 's'.repeat(26)
const path = `/api/v1/sources/${id}`
const day = '2026-11-21'
const at = (time: string) => new Date(`${day}T${time}`).toISOString()
const jobId = 'j'.repeat(26)

const session: RecordingSession = {
  start: at('09:00:00'),
  duration: 1800,
  size_bytes: 900_000_000,
  segments: 2,
  is_open: false,
  has_damage: true,
  gaps: [{ start: at('09:15:00'), duration: 5 }]
}
function file(letter: string, change: Partial<RecordingSegment> = {}): RecordingSegment {
  return {
    id: letter.repeat(26),
    source_id: id,
    start: at('09:00:00'),
    duration: 900,
    size_bytes: 450_000_000,
    file_name: 'one.mp4',
    state: 'whole',
    problem: null,
    is_kept: false,
    ...change
  }
}
const damaged = file('d', { start: at('09:15:05'), state: 'damaged', problem: 'moov atom not found' })
const answers = {
  'GET /api/v1/recordings/sources': { items: [], nextCursor: null },
  'GET /api/v1/sources': sourceList(mediaSource(), mediaSource({ id: 't'.repeat(26), name: 'Gate' })),
  [`GET ${path}/record/days`]: {
    earlier: null,
    items: [{ day, start: at('00:00:00'), end: at('24:00:00'), segments: 2, duration: 1800, size_bytes: 900_000_000 }]
  },
  [`GET ${path}/record/sessions`]: { items: [session] },
  [`GET ${path}/record/files`]: { items: [file('f'), damaged], nextCursor: null },
  [`GET ${path}/clips`]: { items: [], nextCursor: null }
}

function open(change: Record<string, unknown> = {}, sourceId: string | null = null) {
  const onGo = vi.fn()
  // What is to be read anew each time stays so.
  const all = Object.defineProperties({}, Object.getOwnPropertyDescriptors(answers))
  Object.defineProperties(all, Object.getOwnPropertyDescriptors(change))
  return { ...renderScreen(<RecordingsScreen sourceId={sourceId} day={null} onGo={onGo} />, all), onGo }
}

const video = () => screen.findByLabelText<HTMLVideoElement>('Recording of Drone 1')
const rows = () => screen.findAllByTestId('recording-file')
/** The video element as if a window of the recording had arrived and played for some seconds. */
async function play(toSeconds: number) {
  const element = await video()
  Object.defineProperty(element, 'currentTime', { value: toSeconds, configurable: true, writable: true })
  fireEvent(element, new Event('loadeddata'))
  fireEvent(element, new Event('timeupdate'))
}

beforeEach(() => {
  vi.spyOn(HTMLMediaElement.prototype, 'load').mockImplementation(() => {})
  vi.spyOn(HTMLMediaElement.prototype, 'play').mockClear().mockResolvedValue()
  vi.spyOn(HTMLMediaElement.prototype, 'pause').mockImplementation(() => {})
  // What jsdom lacks.
  HTMLElement.prototype.scrollIntoView = () => {}
})
afterEach(() => toasts.set([]))

describe('where there is nothing to show it is said what to do', () => {
  test('without streams', async () => {
    open({ 'GET /api/v1/sources': sourceList() })
    expect(await screen.findByText('There is no stream to record')).toBeTruthy()
    expect(screen.getByRole('link', { name: 'Go to Live' })).toBeTruthy()
  })
  test('without recordings', async () => {
    open({ [`GET ${path}/record/days`]: { items: [], earlier: null } })
    expect(await screen.findByText('Nothing was recorded yet')).toBeTruthy()
    expect(await screen.findByText(/stay when old recordings are deleted/)).toBeTruthy()
  })
  test('for a stream that is gone', async () => {
    open({}, 'x'.repeat(26))
    expect(await screen.findByText('This stream is not here any more')).toBeTruthy()
  })
})

test('the newest day of the first stream is shown from its first recording on', async () => {
  const { onGo } = open()
  expect((await video()).getAttribute('src')).toBe(
    `${path}/playback/media?start=${encodeURIComponent(at('09:00:00'))}&duration=600`
  )
  expect(screen.getByTestId('recording-time').textContent).toBe('09:00:00')
  expect(screen.getByRole('option', { name: 'Nov 21, 2026 · 30 minutes · 900 MB' })).toBeTruthy()
  fireEvent.change(screen.getByLabelText('Stream'), { target: { value: 't'.repeat(26) } })
  expect(onGo).toHaveBeenCalledWith('t'.repeat(26), null)
})

test('a stream that was removed is among the others, apart, and cannot be watched live', async () => {
  const removedId = 'r'.repeat(26)
  const removed = {
    ...{ source_id: removedId, workspace_id: 'w', name: 'Old drone', path_name: 'live/old', is_removed: true },
    ...{ first_start: at('09:00:00'), last_start: at('09:15:00'), segments: 2, size_bytes: null }
  }
  const other = { ...removed, source_id: id, name: 'Drone 1', is_removed: false }
  const ofRemoved = Object.fromEntries(
    Object.entries(answers).map(([call, answer]) => [call.replace(path, `/api/v1/sources/${removedId}`), answer])
  )
  open({ ...ofRemoved, 'GET /api/v1/recordings/sources': { items: [other, removed], nextCursor: null } }, removedId)
  const group = await screen.findByRole('group', { name: 'Removed' })
  expect(
    within(group)
      .getAllByRole('option')
      .map(({ textContent }) => textContent)
  ).toEqual(['Old drone'])
  expect(await screen.findByLabelText('Recording of Old drone')).toBeTruthy()
  expect(screen.queryByRole('link', { name: 'Watch it live' })).toBeNull()
})

test('days of long ago are gone to, and then told with how much there is of them', async () => {
  const long = {
    ...{ day: '2026-09-01', start: new Date('2026-09-01T00:00:00').toISOString() },
    ...{ end: new Date('2026-09-02T00:00:00').toISOString(), segments: 1, duration: 3600, size_bytes: null }
  }
  let isOfLongAgo = false
  const all = {
    ...answers,
    get [`GET ${path}/record/days`]() {
      return !isOfLongAgo
        ? { ...answers[`GET ${path}/record/days`], earlier: long.day }
        : { items: [long], earlier: null }
    }
  }
  function Days() {
    const [shown, setShown] = useState<string | null>(null)
    return <RecordingsScreen sourceId={id} day={shown} onGo={(_id, next) => setShown(next)} />
  }
  renderScreen(<Days />, all)
  await rows()
  isOfLongAgo = true
  fireEvent.click(screen.getByRole('button', { name: 'Earlier day' }))
  expect(await screen.findByRole('option', { name: 'Sep 1, 2026 · 1 hour' })).toBeTruthy()
})

test('the timeline draws what was recorded with its gap and its damage, and tells the time shown', async () => {
  open()
  await rows()
  expect(screen.getAllByTestId('timeline-piece').map((piece) => piece.dataset['kind'])).toEqual([
    'recorded',
    'recorded',
    'damaged'
  ])
  expect(screen.getByTestId('timeline-track').getAttribute('aria-valuetext')).toBe('09:00:00, recorded')
})

test('keys play, jump and mark a clip, which is then made', async () => {
  const clipId = 'c'.repeat(26)
  const { bodies } = open({ [`POST ${path}/clips`]: { jobId, clipId } })
  await rows()
  await play(4)
  fireEvent.keyDown(document.documentElement, { key: ' ', code: 'Space' })
  expect(await screen.findByRole('button', { name: 'Pause' })).toBeTruthy()
  expect(HTMLMediaElement.prototype.play).toHaveBeenCalled()
  fireEvent.keyDown(document.documentElement, { key: 'i' })
  await play(19)
  fireEvent.keyDown(document.documentElement, { key: 'o' })
  expect(await screen.findByText('09:00:04 to 09:00:19, 0:15')).toBeTruthy()
  fireEvent.change(screen.getByLabelText('Name of the clip'), { target: { value: 'Roof ' } })
  fireEvent.click(screen.getByRole('button', { name: 'Make the clip' }))
  expect(await screen.findByText(/The clip is being made/)).toBeTruthy()
  expect(bodies[`POST ${path}/clips`]).toEqual({ start: at('09:00:04'), end: at('09:00:19'), name: 'Roof' })
})

test('a jump out of what has arrived asks for another window', async () => {
  open()
  await rows()
  await play(4)
  fireEvent.keyDown(document.documentElement, { key: 'ArrowRight' })
  const asked = new URL((await video()).src).searchParams
  expect(asked.get('start')).toBe(at('09:00:14'))
})

test('a picture of the time shown is kept', async () => {
  const { bodies } = open({ [`POST ${path}/snapshots`]: refusal(404, 'snapshot_not_available') })
  await rows()
  await play(4)
  fireEvent.click(await screen.findByRole('button', { name: 'Save this picture' }))
  expect(await screen.findByText('The picture was not saved. There is no picture of this time.')).toBeTruthy()
  expect(bodies[`POST ${path}/snapshots`]).toEqual({ at: at('09:00:04') })
})

describe('where nothing is given to play', () => {
  const film = `GET ${path}/playback/media`
  const fail = async () => {
    const element = await video()
    Object.defineProperty(element, 'error', { value: { code: 4 }, configurable: true })
    fireEvent.error(element)
    return element
  }
  const start = (element: HTMLVideoElement) => Date.parse(new URL(element.src).searchParams.get('start') ?? '')

  test('damage says so and leads on, over what is damaged, too', async () => {
    const next = file('n', { start: at('09:20:00') })
    open({
      [film]: refusal(422, 'recording_corrupt'),
      [`GET ${path}/record/files`]: { items: [file('f'), damaged, next], nextCursor: null }
    })
    await rows()
    const element = await fail()
    expect((await screen.findByRole('alert')).textContent).toContain('This part is damaged.')
    fireEvent.click(screen.getByRole('button', { name: 'Skip this part' }))
    expect(start(element)).toBe(Date.parse(next.start) + 1)
    expect(screen.getByRole('button', { name: 'Pause' })).toBeTruthy()
  })

  test('a film that only this browser cannot play is not called damaged', async () => {
    open({ [film]: 'film' })
    await rows()
    await fail()
    expect((await screen.findByRole('alert')).textContent).toContain('a kind of video that not every browser plays')
  })

  test('a base that does not answer is told as what it is, and gone on with when it does', async () => {
    let answer: unknown
    open({
      get [film]() {
        return answer
      }
    })
    await rows()
    const element = await fail()
    expect((await screen.findByRole('alert')).textContent).toContain('The base did not answer.')
    vi.mocked(HTMLMediaElement.prototype.load).mockClear()
    answer = 'film'
    await vi.waitFor(() => expect(HTMLMediaElement.prototype.load).toHaveBeenCalled(), { timeout: 10_000 })
    expect(start(element)).toBe(Date.parse(at('09:00:00')))
  })

  test('a file whose disk is away is not called damaged', async () => {
    open({ [film]: refusal(404, 'recording_not_found') })
    await rows()
    await fail()
    expect((await screen.findByRole('alert')).textContent).toContain('Is the disk with the recordings connected?')
  })
})

test('a mark stays when another day is shown', async () => {
  const days = [day, '2026-11-20'].map((each) => ({
    ...{
      day: each,
      start: new Date(`${each}T00:00:00`).toISOString(),
      end: new Date(`${each}T24:00:00`).toISOString()
    },
    ...{ segments: 2, duration: 1800, size_bytes: 900_000_000 }
  }))
  const all = { ...answers, [`GET ${path}/record/days`]: { items: days, earlier: null } }
  function Days() {
    const [shown, setShown] = useState<string | null>('2026-11-20')
    return <RecordingsScreen sourceId={id} day={shown} onGo={(_id, next) => setShown(next)} />
  }
  renderScreen(<Days />, all)
  await rows()
  await play(4)
  fireEvent.keyDown(document.documentElement, { key: 'i' })
  expect(await screen.findByText('From 09:00:04. Now mark the end.')).toBeTruthy()
  fireEvent.click(screen.getByRole('button', { name: 'Later day' }))
  expect(await screen.findByText('From 09:00:04. Now mark the end.')).toBeTruthy()
})

test('a mark is where the picture is, not where it was when last told', async () => {
  open()
  await rows()
  await play(4)
  Object.assign(await video(), { currentTime: 4.24 })
  fireEvent.keyDown(document.documentElement, { key: 'i' })
  await play(19)
  fireEvent.click(screen.getByRole('button', { name: 'Mark end' }))
  expect(await screen.findByText('09:00:04 to 09:00:19, 0:15')).toBeTruthy()
  fireEvent.click(screen.getByRole('button', { name: 'Clear the marks' }))
})

test('the timeline takes the keys of a slider; a dialog keeps all keys to itself', async () => {
  open()
  await rows()
  await play(4)
  const asked = async () => new URL((await video()).src).searchParams.get('start')
  const track = screen.getByTestId('timeline-track')
  fireEvent.keyDown(document.documentElement, { key: 'PageUp' })
  expect(await asked()).toBe(at('09:00:00'))
  fireEvent.keyDown(track, { key: 'PageUp' })
  expect(await asked()).toBe(new Date(Date.parse(at('09:10:04'))).toISOString())
  fireEvent.keyDown(track, { key: 'Home' })
  expect(await asked()).toBe(at('09:00:00'))
  fireEvent.click(screen.getByRole('button', { name: 'Delete the file from 09:00:00' }))
  fireEvent.keyDown(await screen.findByRole('dialog'), { key: 'ArrowRight' })
  fireEvent.keyDown(document.documentElement, { key: 'ArrowRight' })
  expect(await asked()).toBe(at('09:00:00'))
  expect(screen.getByTestId('recording-time').textContent).toBe('09:00:00')
})

test('files that cannot be listed are said to be, and asked for again', async () => {
  let list: unknown = refusal(500, 'internal_error')
  open({
    get [`GET ${path}/record/files`]() {
      return list
    }
  })
  expect((await screen.findByRole('alert')).textContent).toContain('Something went wrong inside the base.')
  list = { items: [file('f')], nextCursor: null }
  fireEvent.click(screen.getByRole('button', { name: 'Try again' }))
  expect(await rows()).toHaveLength(1)
})

describe('files', () => {
  test('one is played from its beginning', async () => {
    open()
    await rows()
    fireEvent.click(screen.getByRole('button', { name: 'Play from 09:15:05' }))
    expect(screen.getByRole('button', { name: 'Pause' })).toBeTruthy()
    expect(new URL((await video()).src).searchParams.get('start')).toBe(at('09:15:05'))
  })

  test('each tells its time, state and size; a damaged one why', async () => {
    open()
    const [whole, broken] = await rows()
    expect(whole?.textContent).toContain('09:00:00 to 09:15:00')
    expect(whole?.textContent).toContain('Good · 15:00 · 450 MB')
    expect(broken?.textContent).toContain('Damaged')
    expect(broken?.textContent).toContain('Parts of it cannot be read. Technical details: moov atom not found')
  })

  test('a damaged one is repaired, and how far that is can be seen until it is done', async () => {
    let state = 'running'
    let isRepaired = false
    const job = {
      ...{ id: jobId, name: 'recording.repair', assetId: null, assetName: null, attempt: 1, maxAttempts: 3 },
      ...{ progress: 0.4, runAt: at('10:00:00'), errorMessage: null, createdAt: at('10:00:00') }
    }
    open({
      [`POST ${path}/record/files/${damaged.id}/repair`]: { jobId },
      get [`GET /api/v1/jobs/${jobId}`]() {
        return state === 'done' ? refusal(404, 'job_not_found') : { ...job, state }
      },
      get [`GET ${path}/record/files`]() {
        return { items: [{ ...damaged, state: isRepaired ? 'repaired' : 'damaged' }], nextCursor: null }
      }
    })
    fireEvent.click(await screen.findByRole('button', { name: 'Repair the file from 09:15:05' }))
    await vi.waitFor(() => expect(screen.getByRole('progressbar').getAttribute('aria-valuenow')).toBe('40'), {
      timeout: 5000
    })
    isRepaired = true
    state = 'done'
    expect(await screen.findByText(/^Repaired/, undefined, { timeout: 5000 })).toBeTruthy()
    expect(screen.queryByRole('progressbar')).toBeNull()
  })

  test('keeping one is done at once, and a refusal is told', async () => {
    const keep = `PATCH ${path}/record/files/${'f'.repeat(26)}`
    const { bodies } = open({ [keep]: refusal(404, 'recording_not_found') })
    fireEvent.click(await screen.findByRole('switch', { name: 'Keep the file from 09:00:00' }))
    expect(await screen.findByText('The file was not changed. Nothing was recorded at this time.')).toBeTruthy()
    expect(bodies[keep]).toEqual({ is_kept: true })
  })

  test('deleting one asks first and names what it frees', async () => {
    const remove = `DELETE ${path}/record/files/${'f'.repeat(26)}`
    const { calls } = open({ [remove]: refusal(409, 'recording_in_use') })
    fireEvent.click(await screen.findByRole('button', { name: 'Delete the file from 09:00:00' }))
    const dialog = await screen.findByRole('dialog')
    expect(dialog.textContent).toContain('This frees 450 MB. It cannot be undone.')
    expect(calls).not.toContain(remove)
    fireEvent.click(within(dialog).getByRole('button', { name: 'Delete' }))
    expect(await screen.findByText(/This recording is in use/)).toBeTruthy()
  })
})

test('clips tell how far they are, and lead to the asset they became', async () => {
  const clip: Clip = {
    ...{ id: 'c'.repeat(26), source_id: id, kind: 'clip', start: at('09:00:00'), end: at('09:00:30') },
    ...{ state: 'ready', problem: null, asset_id: 'a'.repeat(26), sha256: null }
  }
  const items = [
    { ...clip, id: 'e'.repeat(26), state: 'waiting', asset_id: null },
    { ...clip, id: 'f'.repeat(26), state: 'failed', asset_id: null, problem: 'disk full' },
    clip
  ]
  open({ [`GET ${path}/clips`]: { items, nextCursor: null } })
  const [waiting, failed, ready] = await screen.findAllByTestId('clip')
  expect(within(waiting as HTMLElement).getByRole('progressbar', { name: 'Being made…' })).toBeTruthy()
  expect(failed?.textContent).toContain('Failed')
  expect(failed?.textContent).toContain('disk full')
  expect(ready?.textContent).toContain('Ready · 0:30')
  expect(
    within(ready as HTMLElement)
      .getByRole('link')
      .getAttribute('href')
  ).toBe(`/assets/${'a'.repeat(26)}`)
})

test('a viewer plays, and is offered nothing to change', async () => {
  open({ 'GET /api/v1/status': { ...status, role: 'viewer' } })
  await rows()
  expect(screen.getByRole('button', { name: 'Play from 09:00:00' })).toBeTruthy()
  for (const name of [/^Repair/, /^Delete/, 'Save this picture', 'Make the clip'])
    expect(screen.queryByRole('button', { name })).toBeNull()
})
