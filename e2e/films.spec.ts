import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from '@playwright/test'
import { getStatus } from '../src/shared/api/system.ts'
import { missingBrowser, openScreen, startBase, test } from './daemon-fixture.ts'

const screensDir = join(import.meta.dirname, '../test-results/screens')
const noBrowser = missingBrowser()
test.skip(noBrowser !== undefined, noBrowser)

for (const language of ['en', 'zh-CN'] as const)
  test(`a film this browser cannot play is prepared for it, in ${language}`, async ({ page }) => {
    const base = await startBase({ FLIGHTCASE_RENDITIONS_PROXY: 'on_demand' })
    try {
      const { ffmpeg } = await base.admin.api.call(getStatus, {})
      test.skip(ffmpeg.path === null, 'there is no ffmpeg on this machine')
      const path = join(base.scratchDir, 'DJI_0042.MP4')
      const source = 'testsrc2=size=640x360:rate=30:duration=30'
      const codec = ['-c:v', 'mpeg4', '-q:v', '4']
      execFileSync(ffmpeg.path ?? '', ['-loglevel', 'error', '-f', 'lavfi', '-i', source, ...codec, path])
      const form = new FormData()
      form.set('workspaceId', 'team')
      form.set('file', new Blob([await readFile(path)]), 'DJI_0042.MP4')
      const { url, token } = base.ready.admin
      const headers = { authorization: `Bearer ${token}` }
      expect((await fetch(`${url}/api/v1/media/upload`, { method: 'POST', headers, body: form })).status).toBe(200)

      await page.addInitScript(
        (preferences) => location.protocol === 'http:' && localStorage.setItem('flightcase.preferences', preferences),
        JSON.stringify({ language })
      )
      await openScreen(page, base.ready, '/assets')
      await page.getByRole('gridcell').first().click()
      const preparing = page.getByText(
        language === 'en' ? /is being prepared for this screen/ : /正在为此屏幕准备该视频/
      )
      await expect(preparing).toBeVisible()
      await expect(page.getByRole('progressbar').first()).toHaveAttribute('aria-valuenow', /[1-9]/)
      await page.screenshot({ path: join(screensDir, `film-preparing-${language}.png`) })
      const video = page.locator('video')
      await expect(video).toHaveAttribute('src', /renditions\/proxy$/, { timeout: 60_000 })
      await video.evaluate((element) => (element as HTMLVideoElement).play())
      await expect
        .poll(() => video.evaluate((element) => (element as HTMLVideoElement).currentTime))
        .toBeGreaterThan(0.3)
      await page.screenshot({ path: join(screensDir, `film-prepared-${language}.png`) })
    } finally {
      await page.goto('about:blank')
      await base.close()
    }
  })
