import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, type Page } from '@playwright/test'
import { createPhotoCard } from '../src/demo/photo-card.ts'
import { getAsset, listAssets } from '../src/shared/api/assets.ts'
import { missingBrowser, openScreen, startBase, test } from './daemon-fixture.ts'
import { expectUsable, shoot } from './looks.ts'

const noBrowser = missingBrowser()
test.skip(noBrowser !== undefined, noBrowser)

const MiB = 1024 ** 2

/** Drags files and folders of this machine over the page as a person does, and lets go unless told otherwise. */
async function drag(page: Page, paths: string[], { andDrop = true } = {}): Promise<void> {
  const browser = await page.context().newCDPSession(page)
  const at = { x: 600, y: 400, data: { items: [], files: paths, dragOperationsMask: 1 } }
  await browser.send('Input.dispatchDragEvent', { type: 'dragEnter', ...at })
  await browser.send('Input.dispatchDragEvent', { type: 'dragOver', ...at })
  if (andDrop) await browser.send('Input.dispatchDragEvent', { type: 'drop', ...at })
  await browser.detach()
}

const uploads = (page: Page, state: string) => page.locator(`[data-testid="upload"][data-state="${state}"]`)

test('a folder is dropped, paused, goes on after a reload, and ends as assets', async ({ page }) => {
  const daemon = await startBase()
  try {
    const card = join(daemon.scratchDir, 'sd', 'DCIM')
    await createPhotoCard({ directory: join(card, '100MEDIA'), count: 3, seed: 31, withClip: false })
    await mkdir(join(card, '101MEDIA'))
    const long = join(card, '101MEDIA', 'DJI_20261121093000_0001_V.MP4')
    await writeFile(long, randomBytes(48 * MiB))
    await writeFile(join(card, '.DS_Store'), 'junk')

    await openScreen(page, daemon.ready, '/uploads')
    await expect(page.getByRole('heading', { name: 'Bring in files from this computer' })).toBeVisible()
    await shoot(page, 'uploads-empty')
    await expectUsable(page)

    // Slow enough to be looked at.
    const line = await page.context().newCDPSession(page)
    const throttle = (uploadThroughput: number) =>
      line.send('Network.emulateNetworkConditions', {
        offline: false,
        latency: 0,
        downloadThroughput: -1,
        uploadThroughput
      })
    await throttle(12 * MiB)
    await page.getByRole('link', { name: 'Assets' }).click()
    await expect(page.getByRole('heading', { name: 'No photos or videos yet' })).toBeVisible()
    await drag(page, [card], { andDrop: false })
    await expect(page.getByTestId('drop-area')).toBeVisible()
    await shoot(page, 'uploads-dragging')
    // Only the long file has a second one.
    const laterPart = page.waitForResponse(/\/parts\/[2-9]/)
    await drag(page, [card])
    await expect(page).toHaveURL(`${daemon.ready.admin.url}/uploads`)
    await expect(page.getByTestId('upload')).toHaveCount(4)
    await expect(uploads(page, 'done')).toHaveCount(3)
    const verdict = page.getByTestId('uploads-verdict')
    await expect(verdict).toHaveText('Uploading. 3 of 4 files are here')
    await laterPart
    await shoot(page, 'uploads-sending')
    await expectUsable(page)

    await page.getByRole('button', { name: /^Pause DJI_/ }).click()
    await expect(verdict).toHaveText('Paused. 3 of 4 files are here')
    await shoot(page, 'uploads-paused')
    await page.reload()
    // The browser finds the dropped folder again by itself.
    await expect(verdict).toHaveText('Paused')
    await expect(uploads(page, 'paused')).toContainText(/Paused, [1-9][\d.]* MB of 50\.3 MB are here/)
    await shoot(page, 'uploads-after-reload')
    await expectUsable(page)

    const sent: number[] = []
    page.on('request', (request) => {
      const part = /\/parts\/(\d+)/.exec(request.url())
      if (part) sent.push(Number(part[1]))
    })
    await throttle(-1)
    await page.getByRole('button', { name: 'Go on with all' }).click()
    await expect(verdict).toHaveText('The file is here')
    // Some of its six parts were here.
    expect(new Set(sent).size).toBe(sent.length)
    expect(sent.length).toBeGreaterThan(0)
    expect(sent.length).toBeLessThan(6)
    await drag(page, [card])
    await expect(verdict).toHaveText('All 5 files are here')
    await expect(page.getByText('Already here')).toHaveCount(4)
    await shoot(page, 'uploads-done')
    await expectUsable(page)

    const { items } = await daemon.admin.api.call(listAssets, {})
    expect(items).toHaveLength(4)
    const assetId = items.find(({ name }) => name.endsWith('.MP4'))?.id ?? ''
    expect(await daemon.admin.api.call(getAsset, { params: { assetId } })).toMatchObject({
      sizeBytes: 48 * MiB,
      state: 'active'
    })
    await page
      .getByRole('link', { name: /^Open DJI_/ })
      .first()
      .click()
    await expect(page.getByTestId('inspector')).toBeVisible()
  } finally {
    await page.goto('about:blank')
    await daemon.close()
  }
})

test('uploads wait for a base that is gone and go on when it is back', async ({ page, browserErrors }) => {
  const base = await startBase({ FLIGHTCASE_ADMIN_TOKEN: 'the-same-token-for-both' })
  try {
    const file = join(base.scratchDir, 'long.bin')
    await writeFile(file, randomBytes(24 * MiB))
    await openScreen(page, base.ready, '/uploads')
    const line = await page.context().newCDPSession(page)
    const throttle = (uploadThroughput: number, offline = false) =>
      line.send('Network.emulateNetworkConditions', { offline, latency: 0, downloadThroughput: -1, uploadThroughput })
    await throttle(12 * MiB)
    await page.getByTestId('choose-files').setInputFiles(file)
    const bar = uploads(page, 'sending').getByRole('progressbar')
    await expect.poll(async () => Number(await bar.getAttribute('aria-valuenow'))).toBeGreaterThan(10)
    await throttle(12 * MiB, true)
    await expect(page.getByText('Uploading goes on by itself as soon as it can.')).toBeVisible()
    await shoot(page, 'uploads-waiting')
    await expectUsable(page)
    await throttle(-1)
    await expect(page.getByTestId('uploads-verdict')).toHaveText('The file is here')

    await page.getByRole('button', { name: 'Clear finished' }).click()
    await expect(page.getByRole('heading', { name: 'Bring in files from this computer' })).toBeVisible()
  } finally {
    await page.goto('about:blank')
    await base.close()
  }
  for (const error of browserErrors.splice(0)) expect(error).toMatch(/ERR_|Failed to load resource/)
})

for (const language of ['en', 'zh-CN'] as const)
  test(`uploads on a telephone, in ${language}`, async ({ page }) => {
    const base = await startBase()
    try {
      const directory = join(base.scratchDir, 'DCIM')
      await createPhotoCard({ directory, count: 2, seed: 33, withClip: false })
      await writeFile(join(directory, 'DJI_20261121093000_0009_V.MP4'), randomBytes(40 * MiB))
      await page.addInitScript(
        (value) => location.protocol === 'http:' && localStorage.setItem('flightcase.preferences', value),
        JSON.stringify({ language })
      )
      await page.setViewportSize({ width: 390, height: 844 })
      await openScreen(page, base.ready, '/uploads')
      await shoot(page, `phone-${language}-uploads-empty`)
      await expectUsable(page)
      const line = await page.context().newCDPSession(page)
      await line.send('Network.emulateNetworkConditions', {
        offline: false,
        latency: 0,
        downloadThroughput: -1,
        uploadThroughput: 14 * MiB
      })
      const laterPart = page.waitForResponse(/\/parts\/[2-9]/)
      await page.getByTestId('choose-folder').setInputFiles(directory)
      await expect(uploads(page, 'done')).toHaveCount(2)
      await laterPart
      await shoot(page, `phone-${language}-uploads`)
      await expectUsable(page)
      await page.setViewportSize({ width: 1280, height: 720 })
      await shoot(page, language === 'en' ? 'uploads-three' : 'zh-uploads')
      // As at 200 % zoom.
      await page.setViewportSize({ width: 640, height: 360 })
      await shoot(page, `zoomed-${language}-uploads`)
      await expectUsable(page)

      await page.setViewportSize({ width: 390, height: 844 })
      await page.reload()
      // What was chosen by a button cannot be found again: the page asks for it.
      await expect(uploads(page, 'lost')).toContainText(/[1-9][\d.]* MB .*41\.9 MB/)
      await shoot(page, `phone-${language}-uploads-lost`)
      await expectUsable(page)
      await line.send('Network.emulateNetworkConditions', {
        offline: false,
        latency: 0,
        downloadThroughput: -1,
        uploadThroughput: -1
      })
      await page.getByTestId('choose-folder').setInputFiles(directory)
      await expect(uploads(page, 'done')).toHaveCount(3)
      await expect(page.getByText(language === 'en' ? 'Already here' : '已存在', { exact: true })).toHaveCount(2)
      await shoot(page, `phone-${language}-uploads-done`)
    } finally {
      await page.goto('about:blank')
      await base.close()
    }
  })
