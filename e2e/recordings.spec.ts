import { expect, type Page } from '@playwright/test'
import { startFakeMediaMtx } from '../src/daemon/testing/fake-mediamtx/start-fake-mediamtx.ts'
import { freePort } from '../src/daemon/testing/free-port.ts'
import { createSource } from '../src/shared/api/sources.ts'
import { getStatus } from '../src/shared/api/system.ts'
import { missingBrowser, openScreen, startBase, test } from './daemon-fixture.ts'
import { expectUsable, shoot } from './looks.ts'
import { untilRecording } from './recording.ts'

const noBrowser = missingBrowser()
test.skip(noBrowser !== undefined, noBrowser)

/** Takes pictures in a large window, on a telephone and at 200 %, and checks each. */
async function lookAt(page: Page, name: string): Promise<void> {
  for (const [size, width, height] of [
    ['', 1280, 720],
    ['-phone', 390, 844],
    ['-zoomed', 640, 360]
  ] as const) {
    await page.setViewportSize({ width, height })
    await shoot(page, `${name}${size}`)
    await expectUsable(page)
  }
  await page.setViewportSize({ width: 1280, height: 720 })
}

/** The day of an instant as the base counts it: by the clock of this machine. */
function localDay(timeMs: number): string {
  const at = new Date(timeMs)
  return [at.getFullYear(), at.getMonth() + 1, at.getDate()].map((part) => String(part).padStart(2, '0')).join('-')
}

test('what was recorded is found, played and cut; all is within reach on a telephone and at 200 %', async ({
  page
}) => {
  const [hls, playback] = [await freePort(), await freePort()]
  const mediamtx = await startFakeMediaMtx({
    config: { webrtc: false, hlsAddress: `127.0.0.1:${hls}`, playbackAddress: `127.0.0.1:${playback}` }
  })
  const base = await startBase({ FLIGHTCASE_MEDIAMTX_API: mediamtx.urls.api, FLIGHTCASE_LIVE_PUBLIC_HOST: 'base.lan' })
  const earlierMs = Date.now() - 600_000
  try {
    const { ffmpeg } = await base.admin.api.call(getStatus, {})
    test.skip(!ffmpeg.found, 'there is no ffmpeg on this machine')
    await openScreen(page, base.ready, '/live')
    await expect(page.getByText('No stream yet')).toBeVisible()
    const source = await base.admin.api.call(createSource, { body: { name: 'Drone 1', type: 'push' } })
    mediamtx.addSegment(source.path_name, new Date(earlierMs).toISOString(), 60)
    await mediamtx.publish(source.path_name)
    const tile = page.getByTestId('source')
    await expect(page.getByTestId('source-truth')).toHaveText('Live')
    await tile.getByRole('button', { name: 'Record Drone 1' }).click()
    await untilRecording(page, mediamtx)
    await lookAt(page, 'live-wall')

    await page.getByRole('link', { name: 'Watch Drone 1' }).click()
    await expect(page.getByTestId('stream-way')).toHaveAttribute('data-way', 'hls', { timeout: 45_000 })
    await lookAt(page, 'live-player')
    await page.setViewportSize({ width: 390, height: 844 })
    await expect(page.getByRole('heading', { name: 'Drone 1', level: 1 })).toBeVisible()
    await page.setViewportSize({ width: 1280, height: 720 })
    await page.keyboard.press('Escape')
    await expect(page.getByTestId('live-player')).toHaveCount(0)
    await tile.getByRole('button', { name: 'Stop recording Drone 1' }).click()
    await expect(tile.getByText('Not recording')).toBeVisible()

    await page.getByRole('button', { name: 'More for Drone 1' }).click()
    await page.getByRole('menuitem', { name: 'Recordings' }).click()
    await expect(page.getByRole('combobox', { name: 'Stream' })).toHaveValue(source.id)
    await page.goto(`${base.ready.admin.url}/recordings/${source.id}?day=${localDay(earlierMs)}`)
    const stage = page.getByTestId('recording-stage')
    await expect(stage).toHaveAttribute('data-state', 'ready')
    await page.keyboard.press('Space')
    const timeOf = () => page.locator('video').evaluate((element) => (element as HTMLVideoElement).currentTime)
    await expect.poll(timeOf).toBeGreaterThan(0.5)
    await page.keyboard.press('Space')
    await expect(page.getByRole('button', { name: 'Play', exact: true })).toBeVisible()
    await page.keyboard.press('i')
    await page.keyboard.press('ArrowRight')
    await expect(stage).toHaveAttribute('data-state', 'ready')
    await page.keyboard.press('o')
    await lookAt(page, 'recordings')
    await page.getByRole('button', { name: 'Make the clip' }).click()
    const clip = page.getByTestId('clip').first()
    await expect(clip).toHaveAttribute('data-state', 'ready', { timeout: 45_000 })
    await clip.getByRole('link').click()
    await expect(page.getByTestId('inspector')).toBeVisible()
  } finally {
    await page.goto('about:blank').catch(() => undefined)
    await base.close()
    await mediamtx.close()
  }
})
