import { expect } from '@playwright/test'
import { missingBrowser, openScreen, startBase, test } from './daemon-fixture.ts'
import { choose, expectUsable, shoot } from './looks.ts'

const noBrowser = missingBrowser()
test.skip(noBrowser !== undefined, noBrowser)

test('a store is tried out, chosen and taken back; what is wrong is said with what helps', async ({ page }) => {
  // The store that is tried out is that of another base.
  const store = await startBase({ FLIGHTCASE_LIVE_ENABLED: 'false' })
  const base = await startBase({ FLIGHTCASE_LIVE_ENABLED: 'false', FLIGHTCASE_S3_REGION: store.ready.s3.region })
  try {
    await openScreen(page, base.ready, '/settings')
    await expect(page.getByText('Nothing to set up', { exact: false })).toBeVisible()
    await expectUsable(page)
    await shoot(page, 'settings-fresh-en')

    await page.getByText('In an S3 store', { exact: true }).click()
    await expect(page.getByTestId('origin')).toContainText('FLIGHTCASE_S3_REGION')
    await page.getByLabel('Access key').fill('nobody-knows-this-key')
    await page.getByLabel('Secret key').fill('a secret that is none')
    await page.getByLabel('Address of the store').fill(store.ready.s3.url)
    await page.getByRole('button', { name: 'Test connection' }).click()
    const report = page.getByTestId('connection')
    await expect(report).toContainText('The store does not know this access key.')
    await report.scrollIntoViewIfNeeded()
    await expectUsable(page)
    await shoot(page, 'settings-wrong-key-en')

    await page.getByLabel('Address of the store').fill('http://127.0.0.1:9')
    await page.getByRole('button', { name: 'Test connection' }).click()
    await expect(report.locator('[data-name="reach"]')).toHaveAttribute('data-outcome', 'failed')

    await page.getByLabel('Address of the store').fill(store.ready.s3.url)
    await page.getByRole('button', { name: 'Save' }).click()
    await expect(page.getByTestId('verdict')).toHaveText('This holds from the next start on')
    await expect(page.getByLabel('Secret key')).toHaveValue('')
    await expectUsable(page)
    await shoot(page, 'settings-restart-en')
    await choose(page, 'Dark', '简体中文')
    await expect(page.getByTestId('verdict')).toHaveText('下次启动时生效')
    await shoot(page, 'settings-restart-zh-dark')
    await page.setViewportSize({ width: 390, height: 844 })
    await expectUsable(page)
    await shoot(page, 'settings-narrow-zh')
    await page.setViewportSize({ width: 1280, height: 720 })
    await choose(page, '高对比度（强光下）', 'English')
    await shoot(page, 'settings-contrast-en')
    await page.getByRole('button', { name: 'Keep the present store' }).first().click()
    await expect(page.getByTestId('verdict')).toHaveCount(0)
    await expect(page.getByRole('radio', { name: 'On this computer' })).toBeChecked()
  } finally {
    // Without its base the page would complain.
    await page.close()
    await base.close()
    await store.close()
  }
})
