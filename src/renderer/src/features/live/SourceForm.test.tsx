import { fireEvent, screen } from '@testing-library/react'
import { expect, test, vi } from 'vitest'
import { mediaSource, sourceList } from '../../testing/media-source.ts'
import { refusal, renderScreen } from '../../testing/render-screen.tsx'
import { ffmpegCommand } from './PushGuide.tsx'
import { hasCertificate, protocolOf } from './pull-address.ts'
import { SourceDialogs } from './SourceDialogs.tsx'
import type { SourceDialog } from './source-dialog.ts'

const create = 'POST /api/v1/sources'

function open(dialog: SourceDialog, answers: Record<string, unknown>) {
  const onDialog = vi.fn()
  const rendered = renderScreen(<SourceDialogs dialog={dialog} onDialog={onDialog} onDeleted={() => {}} />, {
    'GET /api/v1/sources': sourceList(),
    ...answers
  })
  return { ...rendered, onDialog }
}
const type = (label: string, value: string) => fireEvent.change(screen.getByLabelText(label), { target: { value } })
const press = (name: string) => fireEvent.click(screen.getByRole('button', { name }))

function problem(code: string, details: object) {
  return Response.json(
    { type: 'about:blank', title: code, status: 400, code, requestId: 'r', details },
    { status: 400 }
  )
}

test('a stream that is sent here needs a name only, and leads to how to send it', async () => {
  const source = mediaSource({ name: 'Drone 7' })
  const { bodies, onDialog } = open({ kind: 'add' }, { [create]: source })
  type('Name', ' Drone 7 ')
  press('Add')
  await vi.waitFor(() => expect(onDialog).toHaveBeenCalledWith({ kind: 'push', source, after: 'creation' }))
  expect(bodies[create]).toEqual({ name: 'Drone 7', type: 'push', record_enabled: false })
})

test('what is missing is said at its field, and nothing is asked of the base', async () => {
  const { calls } = open({ kind: 'add' }, {})
  fireEvent.click(screen.getByText('It is fetched'))
  press('Add')
  expect(await screen.findByText('Give it a name.')).toBeTruthy()
  expect(screen.getByText('Enter the address of the stream.')).toBeTruthy()
  expect(calls).not.toContain(create)
})

test('a stream that is fetched is sent with all that its protocol has', async () => {
  const { bodies, onDialog } = open({ kind: 'add' }, { [create]: mediaSource({ type: 'pull' }) })
  fireEvent.click(screen.getByText('It is fetched'))
  type('Name', 'Gate')
  type('Address of the stream', 'rtsp://user:pass@192.168.1.64/stream1')
  fireEvent.change(screen.getByLabelText('Transport'), { target: { value: 'tcp' } })
  fireEvent.click(screen.getByRole('switch', { name: /^Fetch it only/ }))
  press('Add')
  await vi.waitFor(() => expect(onDialog).toHaveBeenCalledWith(null))
  expect(bodies[create]).toEqual({
    name: 'Gate',
    type: 'pull',
    url: 'rtsp://user:pass@192.168.1.64/stream1',
    rtsp_transport: 'tcp',
    on_demand: true,
    record_enabled: false
  })
})

test.each([
  [problem('pull_url_refused', { reason: 'credential' }), 'User name and password belong together: user:password@'],
  [problem('pull_url_refused', { reason: 'something new' }), 'Streams are not fetched from this address.'],
  [
    problem('invalid_request', { issues: [{ path: 'url', message: 'Too long' }] }),
    'Streams are not fetched from this address.'
  ],
  [refusal(503, 'live_unavailable'), 'The streaming service is not available.']
])('a refusal is told where it belongs', async (answer, text) => {
  open({ kind: 'add' }, { [create]: answer })
  fireEvent.click(screen.getByText('It is fetched'))
  type('Name', 'Gate')
  type('Address of the stream', 'rtsp://user@192.168.1.64/')
  press('Add')
  expect(await screen.findByText(text)).toBeTruthy()
})

test('what is typed while it is saved does not save it twice, and nothing closes it meanwhile', async () => {
  const source = mediaSource({ name: 'Drone 7' })
  const { readable, writable } = new TransformStream<Uint8Array>()
  const answer = new Response(readable, { headers: { 'content-type': 'application/json' } })
  const { calls, onDialog } = open({ kind: 'add' }, { [create]: answer })
  type('Name', 'Drone 7')
  press('Add')
  await vi.waitFor(() => expect(calls).toContain(create))
  type('Name', 'Drone 70')
  press('Add')
  press('Cancel')
  press('Close')
  fireEvent.keyDown(document.body, { key: 'Escape' })
  expect(onDialog).not.toHaveBeenCalled()
  const writer = writable.getWriter()
  await writer.write(new TextEncoder().encode(JSON.stringify(source)))
  await writer.close()
  await vi.waitFor(() => expect(onDialog).toHaveBeenCalledWith({ kind: 'push', source, after: 'creation' }))
  expect(onDialog).toHaveBeenCalledOnce()
  expect(calls.filter((call) => call === create)).toHaveLength(1)
})

test('changing sends what is another only: a hidden password never goes back', async () => {
  const source = mediaSource({ type: 'pull', protocol: 'rtsp', url: 'rtsp://user:***@192.168.1.64/1' })
  const update = `PUT /api/v1/sources/${source.id}`
  const { bodies } = open({ kind: 'edit', source }, { [update]: source })
  type('Name', 'Gate')
  press('Save')
  expect(await screen.findByText('"Drone 1" is changed.')).toBeTruthy()
  expect(bodies[update]).toEqual({ name: 'Gate' })
})

test('how to send: the address for OBS, DJI and ffmpeg, as a code, and whether it arrived', async () => {
  const source = mediaSource()
  open({ kind: 'push', source, after: 'creation' }, { 'GET /api/v1/sources': sourceList(source) })
  const address = source.push_url ?? ''
  expect((await screen.findAllByText(address)).length).toBe(3)
  expect(screen.getByText(ffmpegCommand(address))).toBeTruthy()
  expect(ffmpegCommand(address)).toContain(`"${address}"`)
  expect(screen.getByText('The address as a code to scan')).toBeTruthy()
  expect(screen.getByText('Waiting for the stream…')).toBeTruthy()
  expect(screen.getByText('rtsp://192.168.1.10:8554/live/drone-1-a1b2c3d4')).toBeTruthy()
})

test.each([
  ['rtsp://a', 'rtsp', false],
  [' RTSPS://a', 'rtsp', true],
  ['rtsp+http://a', 'rtsp', false],
  ['rtmp://a', 'rtmp', false],
  ['srt://a', 'srt', false],
  ['wheps://a', 'webrtc', true],
  ['https://a/index.m3u8', 'hls', true],
  ['udp+mpegts://239.0.0.1:1234', 'mpegts', false],
  ['file:///etc/passwd', null, false],
  ['', null, false]
])('%s is %s', (url, protocol, certificate) => {
  expect(protocolOf(url)).toBe(protocol)
  expect(hasCertificate(url)).toBe(certificate)
})
