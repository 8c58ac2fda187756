import { fireEvent, screen, waitFor } from '@testing-library/react'
import { describe, expect, test, vi } from 'vitest'
import { refusal } from '../../testing/render-screen.tsx'
import { at, damaged, file, openRecordings, path, rows, video } from './testing/open-recordings.tsx'

/** What was refused is asked for again every few seconds. */
const untilAskedAgain = { timeout: 45_000 }

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
    openRecordings({
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
    openRecordings({ [film]: 'film' })
    await rows()
    await fail()
    expect((await screen.findByRole('alert')).textContent).toContain('a kind of video that not every browser plays')
  })

  test('a base that does not answer is told as what it is, and gone on with when it does', async () => {
    let answer: unknown
    openRecordings({
      get [film]() {
        return answer
      }
    })
    await rows()
    const element = await fail()
    expect((await screen.findByRole('alert')).textContent).toContain('The base did not answer.')
    vi.mocked(HTMLMediaElement.prototype.load).mockClear()
    answer = 'film'
    await waitFor(() => expect(HTMLMediaElement.prototype.load).toHaveBeenCalled(), untilAskedAgain)
    expect(start(element)).toBe(Date.parse(at('09:00:00')))
  })

  test('a file whose disk is away is not called damaged, and plays once the disk is back', async () => {
    let answer: unknown = refusal(503, 'recording_away')
    openRecordings({
      get [film]() {
        return answer
      }
    })
    await rows()
    await fail()
    const notice = (await screen.findByRole('alert')).textContent
    expect(notice).toContain('The disk that it is on may be unplugged.It goes on by itself')
    vi.mocked(HTMLMediaElement.prototype.load).mockClear()
    answer = 'film'
    await waitFor(() => expect(HTMLMediaElement.prototype.load).toHaveBeenCalled(), untilAskedAgain)
  })

  test('what was deleted is not promised to come back', async () => {
    openRecordings({ [film]: refusal(404, 'recording_not_found') })
    await rows()
    await fail()
    const notice = (await screen.findByRole('alert')).textContent
    expect(notice).toContain('Nothing was recorded at this time.')
    expect(notice).not.toContain('by itself')
  })
})
