import { fireEvent, screen, waitFor, within } from '@testing-library/react'
import { describe, expect, test } from 'vitest'
import { refusal } from '../../testing/render-screen.tsx'
import { at, damaged, file, openRecordings, path, rows, video } from './testing/open-recordings.tsx'

const jobId = 'j'.repeat(26)

test('files that cannot be listed are said to be, and asked for again', async () => {
  let list: unknown = refusal(500, 'internal_error')
  openRecordings({
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
    openRecordings()
    await rows()
    fireEvent.click(screen.getByRole('button', { name: 'Play from 09:15:05' }))
    expect(screen.getByRole('button', { name: 'Pause' })).toBeTruthy()
    // A file begins between two milliseconds; at the earlier one the file in front of it is played.
    expect(new URL((await video()).src).searchParams.get('start')).toBe(at('09:15:05.001'))
  })

  test('each tells its time, state and size; a damaged one why', async () => {
    openRecordings()
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
    openRecordings({
      [`POST ${path}/record/files/${damaged.id}/repair`]: { jobId },
      get [`GET /api/v1/jobs/${jobId}`]() {
        return state === 'done' ? refusal(404, 'job_not_found') : { ...job, state }
      },
      get [`GET ${path}/record/files`]() {
        return { items: [{ ...damaged, state: isRepaired ? 'repaired' : 'damaged' }], nextCursor: null }
      }
    })
    fireEvent.click(await screen.findByRole('button', { name: 'Repair the file from 09:15:05' }))
    await waitFor(() => expect(screen.getByRole('progressbar').getAttribute('aria-valuenow')).toBe('40'))
    isRepaired = true
    state = 'done'
    expect(await screen.findByText(/^Repaired/)).toBeTruthy()
    expect(screen.queryByRole('progressbar')).toBeNull()
  })

  test('keeping one is done at once, and a refusal is told', async () => {
    const keep = `PATCH ${path}/record/files/${'f'.repeat(26)}`
    const { bodies } = openRecordings({ [keep]: refusal(404, 'recording_not_found') })
    fireEvent.click(await screen.findByRole('switch', { name: 'Keep the file from 09:00:00' }))
    expect(await screen.findByText('The file was not changed. Nothing was recorded at this time.')).toBeTruthy()
    expect(bodies[keep]).toEqual({ is_kept: true })
  })

  test('deleting one asks first and names what it frees', async () => {
    const remove = `DELETE ${path}/record/files/${'f'.repeat(26)}`
    const { calls } = openRecordings({ [remove]: refusal(409, 'recording_in_use') })
    fireEvent.click(await screen.findByRole('button', { name: 'Delete the file from 09:00:00' }))
    const dialog = await screen.findByRole('dialog')
    expect(dialog.textContent).toContain('This frees 450 MB. It cannot be undone.')
    expect(calls).not.toContain(remove)
    fireEvent.click(within(dialog).getByRole('button', { name: 'Delete' }))
    expect(await screen.findByText(/This recording is in use/)).toBeTruthy()
  })
})
