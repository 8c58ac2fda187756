import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, type Page } from '@playwright/test'
import { waitUntilIdle } from '../src/demo/catalogue-check.ts'
import { createPhotoCard } from '../src/demo/photo-card.ts'
import { deleteAsset, getAsset, listAssets } from '../src/shared/api/assets.ts'
import { createReference, createReferences } from '../src/shared/api/references.ts'
import { missingBrowser, openScreen, startBase, test } from './daemon-fixture.ts'
import { expectUsable, shoot } from './looks.ts'

const noBrowser = missingBrowser()
test.skip(noBrowser !== undefined, noBrowser)

// What one test leaves behind is looked at by the next.
test.describe.configure({ mode: 'serial' })

let daemon: Awaited<ReturnType<typeof startBase>>
test.beforeAll(async () => {
  daemon = await startBase()
})
test.afterAll(() => daemon?.close())
// A page that is left open would miss its base.
test.afterEach(({ page }) => page.goto('about:blank').then(() => {}))

const tiles = (page: Page) => page.getByTestId('tile')

/** Some photos of a controller; answers their ids, newest first. */
async function bringPhotos(count: number): Promise<string[]> {
  const directory = join(daemon.scratchDir, 'card')
  const card = await createPhotoCard({ directory, count, seed: 41, withClip: false })
  await daemon.controller({ deviceId: 'RC-PLUS-7' }).offer(card)
  await waitUntilIdle(daemon.admin)
  return (await daemon.admin.api.call(listAssets, {})).items.map(({ id }) => id)
}

async function inLanguage(page: Page, language: 'en' | 'zh-CN'): Promise<void> {
  await page.addInitScript(
    (value) => location.protocol === 'http:' && localStorage.setItem('flightcase.preferences', value),
    JSON.stringify({ language })
  )
}

test('a file that several hold is asked about, freed, and moved to the bin', async ({ page, browserErrors }) => {
  const [assetId = '', other = ''] = await bringPhotos(3)
  const { call } = daemon.admin.api
  const params = { assetId }
  const report = {
    namespace: 'reports',
    owner: 'north survey',
    externalId: 'report-2026-17',
    businessTag: 'cover picture'
  }
  await call(createReference, { params, body: report })
  await call(createReference, { params, body: { kind: 'weak', namespace: 'wiki', externalId: 'page/41' } })
  const temporary = { kind: 'temporary' as const, namespace: 'share', owner: 'ann', expiresInSeconds: 3600 }
  await call(createReference, { params, body: temporary })
  await call(createReferences, {
    body: {
      references: Array.from({ length: 60 }, (_, index) => ({
        assetId: other,
        namespace: 'posts',
        owner: `author ${index + 1}`
      }))
    }
  })

  await openScreen(page, daemon.ready, `/assets/${assetId}`)
  const panels = page.getByTestId('inspector-panels')
  await expect(panels.getByTestId('reference')).toHaveCount(4)
  await panels.getByTestId('reference').last().scrollIntoViewIfNeeded()
  await shoot(page, 'references')
  await expectUsable(page)

  await page.keyboard.press('Delete')
  const question = page.getByRole('dialog', { name: /is in use$/ })
  await expect(question.getByTestId('reference')).toHaveCount(2)
  await expect(question.getByRole('button', { name: 'Keep it' })).toBeFocused()
  await shoot(page, 'in-use')
  await expectUsable(page)
  await page.keyboard.press('Escape')
  await expect(question).toHaveCount(0)
  await expect(page.getByTestId('inspector')).toBeVisible()

  await page.getByRole('button', { name: 'Move to bin' }).click()
  await question.getByRole('button', { name: /Remove the use by reports/ }).click()
  await expect(question.getByTestId('reference')).toHaveCount(1)
  await page.getByRole('button', { name: 'Undo' }).click()
  await expect(question.getByTestId('reference')).toHaveCount(2)
  await question.getByRole('button', { name: 'Move to bin anyway' }).click()
  await expect(page.getByText(/is in the bin\.$/)).toBeVisible()
  expect(await call(getAsset, { params })).toMatchObject({ state: 'binned', refCount: 2 })
  await page.getByRole('button', { name: 'Undo' }).click()
  await expect(page.getByText(/is back\.$/)).toBeVisible()
  expect(await call(getAsset, { params })).toMatchObject({ state: 'active', refCount: 2 })

  await page.goto(`${daemon.ready.admin.url}/assets/${other}`)
  await panels.getByRole('button', { name: 'Show all 61' }).click()
  await expect(panels.getByTestId('reference')).toHaveCount(50)
  await panels.getByRole('button', { name: 'Show more' }).click()
  await expect(panels.getByTestId('reference')).toHaveCount(61)
  // The refusals are what this test is about.
  for (const error of browserErrors.splice(0)) expect(error).toContain('409')
})

for (const language of ['en', 'zh-CN'] as const)
  test(`the question about a file in use on a telephone, in ${language}`, async ({ page, browserErrors }) => {
    await inLanguage(page, language)
    await page.setViewportSize({ width: 390, height: 844 })
    await openScreen(page, daemon.ready, '/assets')
    await tiles(page).first().click()
    await page.getByRole('button', { name: language === 'en' ? 'Move to bin' : '移到回收站' }).click()
    await expect(page.getByRole('dialog').last().getByTestId('reference')).toHaveCount(2)
    await shoot(page, `phone-${language}-in-use`)
    await expectUsable(page)
    await page.setViewportSize({ width: 1280, height: 720 })
    if (language === 'zh-CN') await shoot(page, 'zh-in-use')
    await expectUsable(page)
    for (const error of browserErrors.splice(0)) expect(error).toContain('409')
  })

/** Writes a job that gave up into the catalogue, as the runner would have. */
function bury(assetId: string, errorMessage: string): void {
  const catalogue = new DatabaseSync(join(daemon.scratchDir, 'data', 'flightcase.db'))
  const id = randomBytes(13).toString('hex')
  catalogue
    .prepare(
      `INSERT INTO job (id, name, payload_json, state, priority, asset_id, attempt, max_attempts, run_at_ms, error_message,
                        created_at_ms, updated_at_ms)
       VALUES (?, 'renditions.make', ?, 'dead', 20, ?, 5, 5, ?, ?, ?, ?)`
    )
    .run(id, JSON.stringify({ assetId }), assetId, Date.now(), errorMessage, Date.now(), Date.now())
  catalogue.close()
}

test('work that gave up is told in words, set aside, and tried again', async ({ page }) => {
  const [first = '', second = '', third = ''] = (await daemon.admin.api.call(listAssets, {})).items.map(({ id }) => id)
  await openScreen(page, daemon.ready, '/jobs')
  await expect(page.getByRole('heading', { name: 'Nothing to do' })).toBeVisible()
  await shoot(page, 'jobs-empty')
  await expectUsable(page)
  bury(first, 'the object store does not answer: connect ECONNREFUSED 127.0.0.1:9000')
  bury(second, 'took longer than 120000 ms')
  bury(third, 'Input buffer has corrupt header: VipsJpeg: premature end of JPEG image')
  await page.reload()
  const dead = page.locator('[data-testid="job"][data-state="dead"]')
  await expect(dead).toHaveCount(3)
  await expect(page.getByRole('link', { name: /^Jobs/ }).getByRole('img', { name: '3 jobs gave up' })).toBeVisible()
  await expect(dead.filter({ hasText: 'The media store did not answer.' })).toHaveCount(1)
  await shoot(page, 'jobs')
  await expectUsable(page)

  await dead.filter({ hasText: 'It took too long.' }).getByRole('button', { name: 'Set aside' }).click()
  await expect(page.getByRole('region', { name: 'Cancelled' }).getByTestId('job')).toHaveCount(1)
  await expect(dead).toHaveCount(2)
  await dead.filter({ hasText: 'damaged' }).getByRole('button', { name: 'Try again' }).click()
  await expect(dead).toHaveCount(1)
  await page.getByRole('button', { name: 'Try all again' }).click()
  await expect(dead).toHaveCount(0)
  await expect(page.getByText('One job is queued again.')).toBeVisible()
  await waitUntilIdle(daemon.admin)
  await shoot(page, 'jobs-cancelled')
  await page.getByRole('button', { name: 'Try again' }).click()
  await expect(page.getByRole('heading', { name: 'Nothing to do' })).toBeVisible()
})

for (const language of ['en', 'zh-CN'] as const)
  test(`jobs on a telephone, in ${language}`, async ({ page }) => {
    const [first = ''] = (await daemon.admin.api.call(listAssets, {})).items.map(({ id }) => id)
    bury(first, 'Input buffer has corrupt header: VipsJpeg: premature end of JPEG image')
    await inLanguage(page, language)
    await page.setViewportSize({ width: 390, height: 844 })
    await openScreen(page, daemon.ready, '/jobs')
    await expect(page.getByTestId('job')).toHaveCount(language === 'en' ? 1 : 2)
    await shoot(page, `phone-${language}-jobs`)
    await expectUsable(page)
    await page.setViewportSize({ width: 1280, height: 720 })
    await shoot(page, language === 'en' ? 'jobs-one' : 'zh-jobs')
    await expectUsable(page)
  })

test('activity tells who removed what, and that the trail is whole', async ({ page }) => {
  const [asset] = (await daemon.admin.api.call(listAssets, {})).items
  if (!asset) throw new Error('no photo')
  await openScreen(page, daemon.ready, '/activity')
  const entry = (action: string) => page.locator(`[data-testid="activity"][data-action="${action}"]`)
  // What the first of these tests did.
  await expect(entry('asset.binned')).toHaveCount(1)
  await expect(entry('asset.binned')).toContainText('though several held it')
  await expect(entry('references.deleted').first()).toContainText('reports · north survey · report-2026-17')
  await daemon.admin.api.call(deleteAsset, { params: { assetId: asset.id }, query: { force: 'true' } })
  await expect(entry('asset.binned')).toHaveCount(2)
  await page.getByRole('button', { name: 'Check the trail' }).click()
  await expect(page.getByText(/^Nothing was changed or removed\. \d+ entries were checked\.$/)).toBeVisible()
  await shoot(page, 'activity')
  await expectUsable(page)

  await page.getByLabel('What is shown').selectOption('Brought back from the bin')
  await expect(page).toHaveURL(/action=asset\.restored/)
  await expect(page.getByTestId('activity')).toHaveCount(1)
  await page.getByLabel('What is shown').selectOption('Emptied the bin')
  await expect(page.getByRole('heading', { name: 'Nothing to show' })).toBeVisible()
  await page.getByLabel('What is shown').selectOption('Everything')
  const download = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Export' }).click()
  const lines = (await readFile(await (await download).path(), 'utf8')).trim().split('\n')
  expect(lines.map((line) => JSON.parse(line).action)).toContain('asset.binned')
  await entry('asset.restored').getByRole('link').click()
  await expect(page.getByTestId('inspector')).toBeVisible()
})

for (const language of ['en', 'zh-CN'] as const)
  test(`activity on a telephone, in ${language}`, async ({ page }) => {
    await inLanguage(page, language)
    await page.setViewportSize({ width: 390, height: 844 })
    await openScreen(page, daemon.ready, '/activity')
    await expect(page.getByTestId('activity').first()).toBeVisible()
    await shoot(page, `phone-${language}-activity`)
    await expectUsable(page)
    await page.setViewportSize({ width: 1280, height: 720 })
    await shoot(page, language === 'en' ? 'activity-unchecked' : 'zh-activity')
    await expectUsable(page)
    // As at 200 % zoom.
    await page.setViewportSize({ width: 640, height: 360 })
    await shoot(page, `zoomed-${language}-activity`)
    await expectUsable(page)
  })
