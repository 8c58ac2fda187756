import { act, screen } from '@testing-library/react'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { en } from '../../lib/i18n/en.ts'
import { connection } from '../../lib/live-updates.ts'
import { liveStatus, mediaSource, sourceList } from '../../testing/media-source.ts'
import { refusal, renderScreen } from '../../testing/render-screen.tsx'
import { LiveScreen } from './LiveScreen.tsx'

const id = 's'.repeat(26)
const list = 'GET /api/v1/sources'
const path = `/api/v1/sources/${id}`

function open(answers: Record<string, unknown>, openId: string | null) {
  return renderScreen(<LiveScreen openId={openId} onClose={() => {}} />, answers)
}

describe('the player', () => {
  const preview = {
    ...{ path_name: 'live/drone-1-a1b2c3d4', hls_url: 'http://base/hls', webrtc_url: 'http://base/webrtc' },
    ...{ rtsp_url: null, rtmp_url: null, srt_url: null, push_url: null, push_urls: null },
    ...{ hls_path: `${path}/hls/index.m3u8`, whep_path: `${path}/whep`, expires_at: null, copies_expire_at: null }
  }
  const h265 = { ...liveStatus, tracks: [{ codec: 'H265', width: 1920, height: 1080 }] }
  beforeEach(() => {
    vi.spyOn(HTMLMediaElement.prototype, 'load').mockImplementation(() => {})
    vi.spyOn(HTMLMediaElement.prototype, 'play').mockResolvedValue()
    vi.stubGlobal(
      'IntersectionObserver',
      class {
        #tell: (entries: { isIntersecting: boolean }[]) => void
        constructor(tell: (entries: { isIntersecting: boolean }[]) => void) {
          this.#tell = tell
        }
        observe() {
          this.#tell([{ isIntersecting: true }])
        }
        disconnect() {}
      }
    )
  })
  const video = () => screen.findByLabelText<HTMLVideoElement>('Live picture of Drone 1')

  test('goes on while the status is not known for a moment', async () => {
    let status: typeof h265 | null = h265
    const { calls } = open(
      {
        get [list]() {
          return sourceList(mediaSource({ status }))
        },
        [`GET ${path}/preview`]: preview
      },
      id
    )
    // This browser takes no H265 by WebRTC, and no HLS but by itself.
    const element = await video()
    await vi.waitFor(() => expect(element.getAttribute('src')).toBe(preview.hls_path), 20_000)
    vi.mocked(HTMLMediaElement.prototype.play).mockClear()
    status = null
    await vi.waitFor(() => expect(screen.getByTestId('player-truth').textContent).toBe('State unknown'), 20_000)
    expect(HTMLMediaElement.prototype.play).not.toHaveBeenCalled()
    expect(calls).not.toContain(`POST ${path}/whep`)
  })

  test('starts though its ways could not be told at first', async () => {
    let isFirst = true
    open(
      {
        [list]: sourceList(mediaSource({ status: h265 })),
        get [`GET ${path}/preview`]() {
          const answer = isFirst ? refusal(503, 'live_unavailable') : preview
          isFirst = false
          return answer
        }
      },
      id
    )
    const element = await video()
    await vi.waitFor(() => expect(element.getAttribute('src')).toBe(preview.hls_path), 20_000)
  })

  test('does not promise a picture where there is no way to it', async () => {
    const noWays = { ...preview, hls_url: null, webrtc_url: null }
    open({ [list]: sourceList(mediaSource({ status: liveStatus })), [`GET ${path}/preview`]: noWays }, id)
    expect(await screen.findByText(en.live.player.noWay)).toBeTruthy()
    expect(screen.queryByText(en.live.player.nothing)).toBeNull()
  })

  test.each([
    ['is fetched for the wall', null],
    ['is not fetched for what the player covers', id]
  ])('a picture %s', async (_what, openId) => {
    const other = mediaSource({ id: 't'.repeat(26), name: 'Gate', status: liveStatus })
    const { calls } = open(
      { [list]: sourceList(mediaSource({ status: liveStatus }), other), [`GET ${path}/preview`]: preview },
      openId
    )
    await vi.waitFor(() => expect(calls).toContain(`GET ${path}/snapshot`))
    expect(calls.includes(`GET /api/v1/sources/${other.id}/snapshot`)).toBe(openId === null)
  })
})

describe('while the base does not tell of the streams, nothing is called live or recorded', () => {
  const recorded = mediaSource({
    record_enabled: true,
    status: { ...liveStatus, recording: { desired: true, active: true } }
  })
  const places = [
    ['on the wall', null, 'source-truth', 'source'],
    ['in the player', id, 'player-truth', 'live-player']
  ] as const
  afterEach(() => connection.set({ state: 'connecting' }))

  test.each(places)('its events have broken off, %s', async (_where, openId, truth, place) => {
    open({ [list]: sourceList(recorded) }, openId)
    await vi.waitFor(() => expect(screen.getByTestId(truth).textContent).toBe('Live'), 20_000)
    act(() => connection.set({ state: 'lost', attempt: 1 }))
    expect(screen.getByTestId(truth).textContent).toBe('State unknown')
    expect(screen.getByTestId(place).textContent).toContain('Whether it does is unknown just now')
    act(() => connection.set({ state: 'live' }))
    expect(screen.getByTestId(truth).textContent).toBe('Live')
  })

  test.each(places)('it answers otherwise, %s', async (_where, openId, truth) => {
    let answer: unknown = sourceList(recorded)
    open(
      {
        get [list]() {
          return answer
        }
      },
      openId
    )
    await vi.waitFor(() => expect(screen.getByTestId(truth).textContent).toBe('Live'), 20_000)
    answer = refusal(500, 'internal_error')
    await vi.waitFor(() => expect(screen.getByTestId(truth).textContent).toBe('State unknown'), 20_000)
  })
})
