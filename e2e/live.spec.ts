import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, type Page, test } from '@playwright/test'
import { askingEachOther, sendTo } from '../src/daemon/testing/fake-mediamtx/asking-each-other.ts'
import { startFakeMediaMtx } from '../src/daemon/testing/fake-mediamtx/start-fake-mediamtx.ts'
import { freePort } from '../src/daemon/testing/free-port.ts'
import { realLiveEnv } from '../src/daemon/testing/real-live-env.ts'
import { listClips, listRecordingSessions } from '../src/shared/api/recordings.ts'
import {
  createSource,
  getMediaServer,
  getSourceStatus,
  listSources,
  type MediaSource
} from '../src/shared/api/sources.ts'
import { getStatus } from '../src/shared/api/system.ts'
import { missingBrowser, openScreen, startBase, type TestBase } from './daemon-fixture.ts'
import { untilRecording } from './recording.ts'

const screensDir = join(import.meta.dirname, '../test-results/screens')
const noBrowser = missingBrowser()
test.skip(noBrowser !== undefined, noBrowser)

let errors: string[] = []
test.beforeEach(({ page }) => {
  errors = []
  page.on('pageerror', (error) => errors.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text())
  })
})
test.afterEach(() => {
  // What a player hears of a stream that is not there yet, or ends under it, is no error of the page.
  expect(errors.filter((text) => !/Failed to load resource.*(404|502|503)/.test(text))).toEqual([])
})

const picture = (name: string) => ({ path: join(screensDir, `${name}.png`) })

async function untilReady({ admin }: TestBase): Promise<void> {
  await expect.poll(async () => (await admin.api.call(getMediaServer, {})).state, { timeout: 30_000 }).toBe('ready')
}

async function untilConnected({ admin }: TestBase, { id }: MediaSource): Promise<void> {
  const connected = async () => (await admin.api.call(getSourceStatus, { params: { sourceId: id } })).connected
  await expect.poll(connected, { timeout: 30_000 }).toBe(true)
}

/** Waits until the picture moves, in so many pixels. */
async function expectToPlay(page: Page, widthPx: number): Promise<void> {
  const video = page.locator('video')
  const timeOf = () => video.evaluate((element) => (element as HTMLVideoElement).currentTime)
  await expect.poll(timeOf, { timeout: 45_000 }).toBeGreaterThan(0.3)
  const before = await timeOf()
  await expect.poll(timeOf).toBeGreaterThan(before)
  expect(await video.evaluate((element) => (element as HTMLVideoElement).videoWidth)).toBe(widthPx)
}

/** Whether this browser takes a kind of video by WebRTC. */
function takesByWebRtc(page: Page, codec: string): Promise<boolean> {
  return page.evaluate((mimeType) => {
    const codecs = RTCRtpReceiver.getCapabilities('video')?.codecs ?? []
    return codecs.some((known) => known.mimeType.toLowerCase() === mimeType)
  }, `video/${codec.toLowerCase()}`)
}

test('a stream is added, seen on the wall and watched, with a media server that speaks HLS only', async ({ page }) => {
  const [hls, playback] = [await freePort(), await freePort()]
  const asking = await askingEachOther()
  const config = { webrtc: false, hlsAddress: `127.0.0.1:${hls}`, playbackAddress: `127.0.0.1:${playback}` }
  const mediamtx = await startFakeMediaMtx({ config: { ...config, ...asking.config } })
  const base = await startBase({
    FLIGHTCASE_MEDIAMTX_API: mediamtx.urls.api,
    FLIGHTCASE_LIVE_PUBLIC_HOST: 'base.lan',
    ...asking.env
  })
  try {
    await untilReady(base)
    await openScreen(page, base.ready, '/live')
    await expect(page.getByText('No stream yet')).toBeVisible()
    await page.screenshot(picture('live-empty-en'))

    await page.getByRole('button', { name: 'Add a stream' }).first().click()
    await page.getByLabel('Name').fill('Drone 1')
    await page.getByRole('button', { name: 'Add', exact: true }).click()
    await expect(page.getByText('DJI Pilot 2 or DJI Fly')).toBeVisible()
    await expect(page.getByText(/^rtmp:\/\/base\.lan.*\?token=/).first()).toBeVisible()
    await page.screenshot(picture('live-how-to-send-en'))
    await page.getByRole('button', { name: 'Done' }).click()

    const tile = page.getByTestId('source')
    await expect(tile.getByText('Waiting for the drone')).toBeVisible()
    const [source] = (await base.admin.api.call(listSources, {})).items
    await sendTo(mediamtx, source!)
    await expect(tile.getByText('Live', { exact: true })).toBeVisible()
    await page.screenshot(picture('live-wall-en'))

    await tile.getByRole('button', { name: 'Record Drone 1' }).click()
    await untilRecording(page, mediamtx)
    await tile.getByRole('button', { name: 'Stop recording Drone 1' }).click()
    await expect(tile.getByText('Not recording')).toBeVisible()

    await tile.getByRole('link', { name: 'Watch Drone 1' }).click()
    const { ffmpeg } = await base.admin.api.call(getStatus, {})
    if (ffmpeg.found) {
      await expectToPlay(page, 320)
      await expect(page.getByTestId('live-player').getByText(/^HLS/)).toBeVisible()
      await page.screenshot(picture('live-player-hls-en'))
    }
    mediamtx.unpublish(source!.path_name)
    await expect(page.getByText(/There is nothing to see now|No picture\. Trying again/)).toBeVisible()
  } finally {
    // After a time-out there is no page any more, and the rest has to end all the same.
    await page.goto('about:blank').catch(() => undefined)
    await base.close()
    await mediamtx.close()
  }
})

test('without the program of the media server the screen says what is missing', async ({ page }) => {
  const base = await startBase({ FLIGHTCASE_MEDIAMTX_BIN: join(screensDir, 'no-such-program') })
  try {
    await openScreen(page, base.ready, '/live')
    await expect(page.getByText('The streaming service is not installed.')).toBeVisible()
    await page.screenshot(picture('live-missing-en'))
  } finally {
    await page.goto('about:blank').catch(() => undefined)
    await base.close()
  }
})

test('with the real media server: sent by RTMP and RTSP, fetched by RTSP; recorded, played back and cut', async ({
  page
}) => {
  test.setTimeout(400_000)
  const base = await startBase(await realLiveEnv())
  const { api } = base.admin
  const senders: ChildProcess[] = []
  const ends: Promise<unknown>[] = []
  const { ffmpeg } = await api.call(getStatus, {})
  const send = (url: string, format: string[]) => {
    const source = ['-re', '-f', 'lavfi', '-i', 'testsrc2=s=640x360:r=25', '-f', 'lavfi', '-i', 'sine']
    const codecs = [
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-tune',
      'zerolatency',
      '-g',
      '25',
      '-pix_fmt',
      'yuv420p'
    ]
    const args = ['-v', 'error', ...source, ...codecs, '-c:a', 'aac', ...format, url]
    const sender = spawn(ffmpeg.path!, args, { stdio: 'ignore' })
    senders.push(sender)
    ends.push(once(sender, 'exit'))
  }
  try {
    test.skip(!ffmpeg.found, 'there is no ffmpeg on this machine')
    const stateOf = async () => (await api.call(getMediaServer, {})).state
    await expect.poll(stateOf, { timeout: 30_000 }).toMatch(/^(ready|missing)$/)
    test.skip((await stateOf()) === 'missing', 'there is no MediaMTX on this machine (set FLIGHTCASE_MEDIAMTX_BIN)')
    const add = (body: Parameters<typeof api.call<typeof createSource>>[1]['body']) => api.call(createSource, { body })
    const rtmp = await add({ name: 'Drone 1', type: 'push' })
    const rtsp = await add({ name: 'Drone 2', type: 'push' })
    send(rtmp.push_urls!.rtmp!, ['-f', 'flv'])
    send(rtsp.push_urls!.rtsp!, ['-f', 'rtsp', '-rtsp_transport', 'tcp'])
    await untilConnected(base, rtmp)
    await untilConnected(base, rtsp)
    const preview = await base.admin.api.call(listSources, {})
    expect(preview.items).toHaveLength(2)
    const { rtsp_url: url } = (await (
      await fetch(`${base.ready.admin.url}/api/v1/sources/${rtmp.id}/preview`, {
        headers: { authorization: `Bearer ${base.ready.admin.token}` }
      })
    ).json()) as { rtsp_url: string }
    const pulled = await add({ name: 'Gate', type: 'pull', url })
    await untilConnected(base, pulled)

    for (const { id, name } of [rtmp, rtsp, pulled]) {
      // A machine that is busy may be too late for WebRTC once.
      await expect(async () => {
        await openScreen(page, base.ready, `/live/${id}`)
        await expectToPlay(page, 640)
        const way = (await takesByWebRtc(page, 'H264')) ? 'webrtc' : 'hls'
        expect(await page.getByTestId('stream-way').getAttribute('data-way')).toBe(way)
      }).toPass({ timeout: 90_000 })
      await page.screenshot(picture(`live-real-${name.toLowerCase().replace(' ', '-')}`))
    }

    await openScreen(page, base.ready, '/live')
    await page.getByRole('button', { name: 'Record Drone 1' }).click()
    const tile = page.getByTestId('source').filter({ hasText: 'Drone 1' })
    await expect(tile.getByText('Recording', { exact: true })).toBeVisible({ timeout: 45_000 })
    const recordedSeconds = async () => {
      const { items } = await api.call(listRecordingSessions, { params: { sourceId: rtmp.id } })
      return items[0]?.duration ?? 0
    }
    await expect.poll(recordedSeconds, { timeout: 60_000 }).toBeGreaterThan(12)
    await openScreen(page, base.ready, `/recordings/${rtmp.id}`)
    await page.getByRole('button', { name: 'Play', exact: true }).click()
    await expectToPlay(page, 640)
    await page.getByRole('button', { name: 'Mark start' }).click()
    await page.waitForFunction(() => (document.querySelector('video')?.currentTime ?? 0) > 2)
    await page.getByRole('button', { name: 'Mark end' }).click()
    await page.screenshot(picture('recordings-real-en'))
    await page.getByRole('button', { name: 'Make the clip' }).click()
    const clips = async () => (await api.call(listClips, { params: { sourceId: rtmp.id } })).items
    await expect.poll(async () => (await clips())[0]?.state, { timeout: 60_000 }).toBe('ready')
    const [clip] = await clips()
    const bytes = await fetch(`${base.ready.admin.url}/media/${clip!.asset_id}`, {
      headers: { authorization: `Bearer ${base.ready.admin.token}` }
    })
    const digest = createHash('sha256').update(Buffer.from(await bytes.arrayBuffer()))
    expect(digest.digest('hex')).toBe(clip!.sha256)
    await openScreen(page, base.ready, '/live')
    await page.getByRole('button', { name: 'Stop recording Drone 1' }).click()
    await expect(tile.getByText('Not recording')).toBeVisible()
  } finally {
    // After a time-out there is no page any more, and the rest has to end all the same.
    await page.goto('about:blank').catch(() => undefined)
    for (const sender of senders) sender.kill('SIGKILL')
    await Promise.all(ends)
    await base.close()
  }
})
