import { expect } from '@playwright/test'
import { getDoctor } from '../src/shared/api/doctor.ts'
import { missingBrowser, openScreen, startBase, test } from './daemon-fixture.ts'
import { expectUsable, shoot } from './looks.ts'

const noBrowser = missingBrowser()
test.skip(noBrowser !== undefined, noBrowser)

test('Doctor says without words of the trade what is wrong and what helps, in both languages and any window', async ({
  page
}) => {
  const base = await startBase({ FLIGHTCASE_MEDIAMTX_BIN: '/nowhere/mediamtx' })
  try {
    await openScreen(page, base.ready, '/live')
    await page.getByRole('link', { name: 'Doctor says what to do' }).click()
    const missing = page.locator('[data-testid="check"][data-id="media_server"]')
    await expect(missing).toContainText('Everything else works without it.')
    await expect(missing.getByRole('button', { name: /github\.com\/bluenviron\/mediamtx/ })).toBeVisible()
    await expect(page.locator('[data-testid="check"][data-id="store"]')).toHaveAttribute('data-state', 'ok')
    await expectUsable(page)
    await shoot(page, 'doctor-en')

    let answer = () => {}
    const held = new Promise<void>((resolve) => {
      answer = resolve
    })
    await page.route(`**${getDoctor.path}`, async (route) => {
      await held
      await route.continue()
    })
    await page.getByRole('button', { name: 'Check again' }).click()
    await expect(page.getByRole('progressbar', { name: 'Checking…' })).toBeVisible()
    answer()
    await expect(page.getByRole('button', { name: 'Check again' })).toBeEnabled()

    await page.setViewportSize({ width: 390, height: 844 })
    await expectUsable(page)
    await shoot(page, 'doctor-narrow-en')
    await page.setViewportSize({ width: 1280, height: 720 })
    await page.getByRole('button', { name: 'Language and display' }).click()
    await page.getByRole('menuitemradio', { name: '简体中文' }).click()
    await expect(page.getByRole('heading', { name: '诊断' })).toBeVisible()
    await page.keyboard.press('Escape')
    await expect(missing).toContainText('其他功能不受影响')
    await shoot(page, 'doctor-zh')
  } finally {
    // Without its base the page would complain.
    await page.close()
    await base.close()
  }
})

test('a base that is well says so', async ({ page }) => {
  const base = await startBase({ FLIGHTCASE_LIVE_ENABLED: 'false' })
  try {
    let found: Record<string, string> = {}
    // What this machine lacks is not what is looked at.
    await page.route(`**${getDoctor.path}`, async (route) => {
      const answer = await route.fetch()
      const report = getDoctor.response.parse(await answer.json())
      found = Object.fromEntries(report.checks.map(({ id, state }) => [id, state]))
      const checks = report.checks.filter(({ state }) => state === 'ok' || state === 'off')
      await route.fulfill({ json: { ...report, checks } })
    })
    await openScreen(page, base.ready, '/doctor')
    await expect(page.getByTestId('verdict')).toHaveText('All is well')
    const whole = ['database', 'store', 'listeners', 'clock', 'thumbnails', 'jobs'].map((id) => [id, 'ok'])
    expect(found).toMatchObject({ ...Object.fromEntries(whole), media_server: 'off' })
    await expectUsable(page)
    await shoot(page, 'doctor-well-en')
  } finally {
    await page.close()
    await base.close()
  }
})
