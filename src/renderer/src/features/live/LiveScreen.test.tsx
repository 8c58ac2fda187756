import { fireEvent, screen, within } from '@testing-library/react'
import { useState } from 'react'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { en } from '../../lib/i18n/en.ts'
import { toasts } from '../../lib/toasts.ts'
import { healthyServer, liveStatus, mediaSource, sourceList, streamStatus } from '../../testing/media-source.ts'
import { refusal, renderScreen, status } from '../../testing/render-screen.tsx'
import { LiveScreen } from './LiveScreen.tsx'

const id = 's'.repeat(26)
const list = 'GET /api/v1/sources'
const path = `/api/v1/sources/${id}`
const recordStatus = { desired: true, active: false, last_segment_start: null, problem: null, last_error: null }

function open(answers: Record<string, unknown>, openId: string | null = null) {
  return renderScreen(<LiveScreen openId={openId} onClose={() => {}} />, answers)
}
const tile = () => screen.findByTestId('source')

async function choose(item: string) {
  fireEvent.click(within(await tile()).getByRole('button', { name: 'More for Drone 1' }))
  fireEvent.click(await screen.findByRole('menuitem', { name: item }))
}

afterEach(() => toasts.set([]))

test('a wall without streams says what to do', async () => {
  open({ [list]: sourceList() })
  expect(await screen.findByText('No stream yet')).toBeTruthy()
  fireEvent.click(await screen.findByRole('button', { name: 'Add a stream' }))
  expect(await screen.findByRole('dialog', { name: 'Add a stream' })).toBeTruthy()
})

test('a viewer is told whom to ask, and offered nothing to change', async () => {
  open({ [list]: sourceList(), 'GET /api/v1/status': { ...status, role: 'viewer' } })
  expect(await screen.findByText(/Ask whoever runs this base to add a stream/)).toBeTruthy()
  expect(screen.queryByRole('button', { name: 'Add a stream' })).toBeNull()
})

test('a live stream tells its picture, data and viewers', async () => {
  open({ [list]: sourceList(mediaSource({ status: liveStatus })) })
  const text = (await tile()).textContent
  for (const fact of ['Drone 1', 'Live', '1920 × 1080', 'H264', '4.2 Mbit/s', '2 watching', 'Not recording'])
    expect(text).toContain(fact)
  expect(screen.queryByTestId('source-trouble')).toBeNull()
  const link = screen.getByRole('link', { name: 'Watch Drone 1', description: 'Live' })
  expect(link.getAttribute('href')).toBe(`/live/${id}`)
  expect(screen.getByRole('button', { name: 'Record Drone 1', description: 'Not recording' })).toBeTruthy()
})

test('a camera that cannot be reached says why, in plain words and as reported', async () => {
  const last_error = 'dial tcp 192.168.1.64:554: i/o timeout'
  open({ [list]: sourceList(mediaSource({ type: 'pull', status: streamStatus({ last_error }) })) })
  expect((await screen.findByTestId('source-truth')).textContent).toBe('Not reachable')
  const trouble = screen.getByTestId('source-trouble').textContent
  expect(trouble).toContain('The camera does not answer.')
  expect(trouble).toContain(last_error)
})

test('a path that differs says so though the stream is live', async () => {
  open({ [list]: sourceList(mediaSource({ drift: 'differs', status: liveStatus })) })
  expect((await screen.findByTestId('source-trouble')).textContent).toContain('other settings')
  expect(screen.getByTestId('source-drift').textContent).toBe('Settings differ')
})

test('H265 is warned of', async () => {
  open({ [list]: sourceList(mediaSource({ status: { ...liveStatus, tracks: [{ codec: 'H265' }] } })) })
  expect(await screen.findByText('H265: not every browser can show it')).toBeTruthy()
})

test('without a streaming service its message and remedy stand on top, and the streams below', async () => {
  const problem = { code: 'mediamtx_missing', message: 'MediaMTX was not found.', remedy: 'Install it.' }
  const server = { ...healthyServer, state: 'missing', problem }
  open({ [list]: { ...sourceList(mediaSource({ status: null })), server } })
  const notice = (await screen.findByRole('alert')).textContent
  expect(notice).toContain('The streaming service is not installed.')
  expect(notice).toContain('put the program on the PATH')
  expect(screen.getByRole('group').textContent).toBe('Technical detailsMediaMTX was not found.Install it.')
  expect((await screen.findByTestId('source-truth')).textContent).toBe('State unknown')
})

test('a folder that cannot be used is not said to still hold what was recorded', async () => {
  const problem = { code: 'recordings_folder_unusable', message: 'It is not there.', remedy: 'Check it.' }
  open({ [list]: { ...sourceList(), server: { ...healthyServer, state: 'misconfigured', problem } } })
  const notice = (await screen.findByRole('alert')).textContent
  expect(notice).toContain('Check the disk, or name another folder')
  expect(notice).not.toContain(en.live.recordingsStay)
})

test('what this screen does not know yet is told in the words of the base', async () => {
  const problem = { code: 'of_a_newer_base', message: 'It is so.', remedy: 'Do this.' }
  open({ [list]: { ...sourceList(), server: { ...healthyServer, state: 'unreachable', problem } } })
  const notice = (await screen.findByRole('alert')).textContent
  expect(notice).toContain('The streaming service is not available.')
  expect(notice).toContain('It is so. Do this.')
})

test('warnings about the streaming service are told in plain words, and as reported', async () => {
  const server = Object.values(
    import.meta.glob<string>(
      [
        '../../../../daemon/mediamtx/{external-server,find-mediamtx}.ts',
        '../../../../daemon/features/live/create-live.ts'
      ],
      { query: '?raw', import: 'default', eager: true }
    )
  ).join('')
  const known: [string, string][] = [
    ['the playback server is off (`playback`).', 'Recordings cannot be played because of its settings.'],
    ['Streams cannot be watched by HLS: it is off (`hls`).', 'HLS is switched off.'],
    ['`authInternalUsers` lets `any` read.', 'Everybody in the network can watch'],
    ['who may send and watch (`authMethod`, `authHTTPAddress`)', 'does not ask this base who may send'],
    ['It cannot ask who may send and watch', 'lets nobody in'],
    ['(`live.max_gb`, `live.min_free_gb`)', 'deleted by their age only'],
    ['is not the version that is tested', 'not the one that was tested']
  ]
  const warnings = [...known.map(([warning]) => warning), 'Something new.']
  open({ [list]: { ...sourceList(), server: { ...healthyServer, warnings } } })
  const notice = (await screen.findByRole('alert')).textContent
  for (const [warning, words] of known) {
    expect(server).toContain(warning)
    expect(notice).toContain(words)
  }
  expect(notice).toContain('Something new.Technical details')
  expect(screen.getByRole('group').textContent).toBe(`Technical details${warnings.join('')}`)
})

test('every problem of the streaming service has words of its own', () => {
  const sources = import.meta.glob<string>('../../../../daemon/mediamtx/*.ts', {
    query: '?raw',
    import: 'default',
    eager: true
  })
  const codes = Object.entries(sources)
    .filter(([file]) => !file.endsWith('.test.ts'))
    .flatMap(([, source]) => [...source.matchAll(/\bcode(?::| =) '([a-z]+_[a-z_]+)'/g)].map(([, code]) => code))
  expect(codes.length).toBeGreaterThan(8)
  expect(codes.filter((code) => !Object.hasOwn(en.live.serverProblem, code ?? ''))).toEqual([])
})

test('every page of streams is on the wall', async () => {
  const other = mediaSource({ id: 't'.repeat(26), name: 'Drone 2' })
  let isFirst = true
  open({
    get [list]() {
      const page = isFirst ? { ...sourceList(mediaSource()), nextCursor: 'more' } : sourceList(other)
      isFirst = !isFirst
      return page
    }
  })
  expect(await screen.findByText('Drone 1')).toBeTruthy()
  expect(await screen.findByText('Drone 2')).toBeTruthy()
})

describe('recording', () => {
  test('one button starts it, and the words tell the wish from the fact', async () => {
    let source = mediaSource()
    const { calls } = open({
      get [list]() {
        return sourceList(source)
      },
      get [`POST ${path}/record/start`]() {
        source = mediaSource({
          record_enabled: true,
          status: streamStatus({ recording: { desired: true, active: false } })
        })
        return recordStatus
      }
    })
    fireEvent.click(await screen.findByRole('button', { name: 'Record Drone 1' }))
    expect(await screen.findByText('Will record when the stream comes')).toBeTruthy()
    expect(calls).toContain(`POST ${path}/record/start`)
    expect(screen.getByRole('button', { name: 'Stop recording Drone 1' })).toBeTruthy()
  })

  test('what shall be recorded but is not says why', async () => {
    open({
      [list]: sourceList(mediaSource({ status: { ...liveStatus, recording: { desired: true, active: false } } })),
      [`GET ${path}/record/status`]: { ...recordStatus, problem: 'disk_full' }
    })
    expect(await screen.findByText(/The disk of the recordings is full/)).toBeTruthy()
    expect(screen.getByText(/Should be recording, but is not/)).toBeTruthy()
  })

  test('what was only just asked for is about to begin', async () => {
    open({
      [list]: sourceList(mediaSource({ status: { ...liveStatus, recording: { desired: true, active: false } } })),
      [`GET ${path}/record/status`]: recordStatus
    })
    expect(await screen.findByText('Recording is about to start…')).toBeTruthy()
  })

  test('stopping is done at once, and the message offers to record again', async () => {
    const recording = mediaSource({ status: { ...liveStatus, recording: { desired: true, active: true } } })
    const { calls } = open({
      [list]: sourceList(recording),
      [`POST ${path}/record/stop`]: recordStatus,
      [`POST ${path}/record/start`]: recordStatus
    })
    fireEvent.click(await screen.findByRole('button', { name: 'Stop recording Drone 1', description: 'Recording' }))
    expect(await screen.findByText('Recording of "Drone 1" stopped.')).toBeTruthy()
    expect(calls).not.toContain(`POST ${path}/record/start`)
    fireEvent.click(screen.getByRole('button', { name: 'Record again' }))
    await vi.waitFor(() => expect(calls).toContain(`POST ${path}/record/start`))
  })

  test('a refusal is told', async () => {
    open({
      [list]: sourceList(mediaSource({ status: { ...liveStatus, recording: { desired: true, active: true } } })),
      [`POST ${path}/record/stop`]: refusal(503, 'live_unavailable')
    })
    fireEvent.click(await screen.findByRole('button', { name: 'Stop recording Drone 1' }))
    expect(await screen.findByText(/was not stopped. The streaming service is not available/)).toBeTruthy()
  })

  test('what is switched off cannot be started', async () => {
    open({ [list]: sourceList(mediaSource({ enabled: false })) })
    const button = await screen.findByRole('button', { name: 'Record Drone 1' })
    expect(button.hasAttribute('disabled')).toBe(true)
  })
})

describe('whoever closes something is back where it was opened', () => {
  const leave = () => fireEvent.keyDown(document.body, { key: 'Escape' })
  const hasFocus = (element: HTMLElement) => vi.waitFor(() => expect(document.activeElement).toBe(element), 20_000)

  test('a dialog by a button', async () => {
    open({ [list]: sourceList(mediaSource()) })
    const add = await screen.findByRole('button', { name: 'Add a stream' })
    add.focus()
    fireEvent.click(add)
    await hasFocus(await screen.findByLabelText('Name'))
    leave()
    await hasFocus(add)
  })

  test('a dialog from the menu, which does not take the focus from it', async () => {
    open({ [list]: sourceList(mediaSource()) })
    const menu = within(await tile()).getByRole('button', { name: 'More for Drone 1' })
    menu.focus()
    await choose('Change…')
    await hasFocus(await screen.findByLabelText('Name'))
    leave()
    await hasFocus(menu)
  })

  test('the player', async () => {
    const opener = 'Here'
    function Screen() {
      const [openId, setOpenId] = useState<string | null>(null)
      return (
        <>
          <button type="button" onClick={() => setOpenId(id)}>
            {opener}
          </button>
          <LiveScreen openId={openId} onClose={() => setOpenId(null)} />
        </>
      )
    }
    renderScreen(<Screen />, { [list]: sourceList(mediaSource({ enabled: false })) })
    const here = await screen.findByRole('button', { name: opener })
    here.focus()
    fireEvent.click(here)
    await hasFocus(await screen.findByRole('button', { name: 'Close' }))
    leave()
    await hasFocus(here)
  })
})

test('switching off is done at once and can be taken back', async () => {
  const { calls } = open({
    [list]: sourceList(mediaSource()),
    [`POST ${path}/disable`]: mediaSource({ enabled: false }),
    [`POST ${path}/enable`]: mediaSource()
  })
  await choose('Switch off')
  fireEvent.click(await screen.findByRole('button', { name: 'Undo' }))
  await vi.waitFor(() => expect(calls).toContain(`POST ${path}/enable`))
})

describe('deleting', () => {
  test('asks, keeps what was recorded unless told otherwise, and says so when done', async () => {
    const asked: string[] = []
    const { calls } = open({
      [list]: sourceList(mediaSource()),
      get [`DELETE ${path}`]() {
        asked.push('deleted')
        return new Response(null, { status: 204 })
      }
    })
    await choose('Delete…')
    const dialog = await screen.findByRole('dialog', { name: 'Delete "Drone 1"?' })
    expect(within(dialog).getByRole<HTMLInputElement>('radio', { name: 'Keep what was recorded' }).checked).toBe(true)
    expect(calls).not.toContain(`DELETE ${path}`)
    fireEvent.click(within(dialog).getByRole('button', { name: 'Delete' }))
    expect(await screen.findByText('"Drone 1" is deleted.')).toBeTruthy()
    expect(screen.queryByRole('dialog')).toBeNull()
  })

  test('a stream that is an asset, too, names the assets, each a link', async () => {
    const assetId = 'a'.repeat(26)
    open({
      [list]: sourceList(mediaSource()),
      [`DELETE ${path}`]: Response.json(
        {
          ...{ type: 'about:blank', title: 't', status: 409, code: 'source_has_assets', requestId: 'r' },
          details: { assets: [{ id: assetId, name: 'East slope' }] }
        },
        { status: 409 }
      )
    })
    await choose('Delete…')
    fireEvent.click(await screen.findByRole('button', { name: 'Delete' }))
    expect((await screen.findByRole('alert')).textContent).toContain('Delete these first')
    expect(screen.getByRole('link', { name: 'Open East slope' }).getAttribute('href')).toBe(`/assets/${assetId}`)
  })
})

test('a new address is asked for first, then shown with a warning that the sender must be told', async () => {
  const address = 'rtmp://192.168.1.10:1935/live/drone-1-a1b2c3d4?token=other'
  const { calls } = open({
    [list]: sourceList(mediaSource({ push_url: address, push_urls: null })),
    [`POST ${path}/publish-key`]: mediaSource({ push_url: address, push_urls: null })
  })
  await choose('New address to send to…')
  expect(await screen.findByText(/The old address stops working at once/)).toBeTruthy()
  expect(calls).not.toContain(`POST ${path}/publish-key`)
  fireEvent.click(screen.getByRole('button', { name: 'Make a new address' }))
  expect((await screen.findByRole('alert')).textContent).toContain('The old address no longer works')
  expect(screen.getAllByText(address).length).toBeGreaterThan(0)
})
