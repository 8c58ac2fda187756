import { fireEvent, screen, within } from '@testing-library/react'
import { useState } from 'react'
import { describe, expect, test } from 'vitest'
import type { Clip } from '../../../../shared/api/recordings.ts'
import { sourceList } from '../../testing/media-source.ts'
import { refusal, renderScreen, status } from '../../testing/render-screen.tsx'
import { RecordingsScreen } from './RecordingsScreen.tsx'
import { answers, at, day, id, openRecordings, path, play, rows, session, video } from './testing/open-recordings.tsx'

describe('where there is nothing to show it is said what to do', () => {
  test('without streams', async () => {
    openRecordings({ 'GET /api/v1/sources': sourceList() })
    expect(await screen.findByText('There is no stream to record')).toBeTruthy()
    expect(screen.getByRole('link', { name: 'Go to Live' })).toBeTruthy()
  })
  test('without recordings', async () => {
    openRecordings({ [`GET ${path}/record/days`]: { items: [], earlier: null } })
    expect(await screen.findByText('Nothing was recorded yet')).toBeTruthy()
    expect(await screen.findByText(/stay when old recordings are deleted/)).toBeTruthy()
  })
  test('for a stream that is gone', async () => {
    openRecordings({}, 'x'.repeat(26))
    expect(await screen.findByText('This stream is not here any more')).toBeTruthy()
  })
})

test('the newest day of the first stream is shown from its first recording on', async () => {
  const { onGo } = openRecordings()
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
  openRecordings(
    { ...ofRemoved, 'GET /api/v1/recordings/sources': { items: [other, removed], nextCursor: null } },
    removedId
  )
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
  openRecordings()
  await rows()
  expect(screen.getAllByTestId('timeline-piece').map((piece) => piece.dataset['kind'])).toEqual([
    'recorded',
    'recorded',
    'damaged'
  ])
  const slider = screen.getByRole('slider', { name: 'Time shown', description: /^Arrow keys go 10 seconds/ })
  expect(slider.getAttribute('aria-valuetext')).toBe('09:00:00, recorded')
})

test('a recording that began the day before is shown from midnight on', async () => {
  const start = new Date(Date.parse(at('00:00:00')) - 600_000).toISOString()
  openRecordings({ [`GET ${path}/record/sessions`]: { items: [{ ...session, start, gaps: [] }] } })
  expect(new URL((await video()).src).searchParams.get('start')).toBe(at('00:00:00'))
  expect(screen.getByTestId('recording-time').textContent).toBe('00:00:00')
})

test('keys play, jump and mark a clip, which is then made', async () => {
  const made = { jobId: 'j'.repeat(26), clipId: 'c'.repeat(26) }
  const { bodies } = openRecordings({ [`POST ${path}/clips`]: made })
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
  openRecordings()
  await rows()
  await play(4)
  fireEvent.keyDown(document.documentElement, { key: 'ArrowRight' })
  const asked = new URL((await video()).src).searchParams
  expect(asked.get('start')).toBe(at('09:00:14'))
})

test('a picture of the time shown is kept', async () => {
  const { bodies } = openRecordings({ [`POST ${path}/snapshots`]: refusal(404, 'snapshot_not_available') })
  await rows()
  await play(4)
  fireEvent.click(await screen.findByRole('button', { name: 'Save this picture' }))
  expect(await screen.findByText('The picture was not saved. There is no picture of this time.')).toBeTruthy()
  expect(bodies[`POST ${path}/snapshots`]).toEqual({ at: at('09:00:04') })
})

test('a mark stays when another day is shown, whatever is pressed on one without recordings', async () => {
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
    const [shown, setShown] = useState<string | null>(day)
    return <RecordingsScreen sourceId={id} day={shown} onGo={(_id, next) => setShown(next)} />
  }
  renderScreen(<Days />, all)
  await rows()
  await play(4)
  fireEvent.keyDown(document.documentElement, { key: 'i' })
  expect(await screen.findByText('From 09:00:04. Now mark the end.')).toBeTruthy()
  // There is nothing to mark on this one.
  fireEvent.click(screen.getByRole('button', { name: 'Earlier day' }))
  expect(await screen.findByText('Nothing was recorded on this day.')).toBeTruthy()
  fireEvent.keyDown(document.documentElement, { key: 'i' })
  fireEvent.keyDown(document.documentElement, { key: 'o' })
  fireEvent.click(screen.getByRole('button', { name: 'Later day' }))
  expect(await screen.findByText('From 09:00:04. Now mark the end.')).toBeTruthy()
})

test('a mark is where the picture is, not where it was when last told', async () => {
  openRecordings()
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
  openRecordings()
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
  openRecordings({ [`GET ${path}/clips`]: { items, nextCursor: null } })
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
  openRecordings({ 'GET /api/v1/status': { ...status, role: 'viewer' } })
  await rows()
  expect(screen.getByRole('button', { name: 'Play from 09:00:00' })).toBeTruthy()
  for (const name of [/^Repair/, /^Delete/, 'Save this picture', 'Make the clip'])
    expect(screen.queryByRole('button', { name })).toBeNull()
})
