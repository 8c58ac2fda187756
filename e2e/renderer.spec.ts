import { truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, type Locator, type Page } from '@playwright/test'
import { waitUntilIdle } from '../src/demo/catalogue-check.ts'
import { type CardFile, createPhotoCard } from '../src/demo/photo-card.ts'
import { readCard } from '../src/demo/read-card.ts'
import { deleteAsset, listAssets, restoreAsset } from '../src/shared/api/assets.ts'
import { createToken } from '../src/shared/api/system.ts'
import { missingBrowser, openScreen, startBase, type TestBase, test } from './daemon-fixture.ts'
import { expectUsable, shoot } from './looks.ts'

const photos = 8
const files = photos + 1

// One card comes in, and what it left behind is then looked at from every side.
test.describe.configure({ mode: 'serial' })

const noBrowser = missingBrowser()
test.skip(noBrowser !== undefined, noBrowser)

let card: Promise<CardFile[]> | undefined
function theCard(daemon: TestBase): Promise<CardFile[]> {
  card ??= createPhotoCard({
    directory: join(daemon.scratchDir, 'card'),
    count: photos,
    seed: 7,
    megapixels: 12,
    distinctPictures: 4,
    startedAt: '2026-11-20T23:59:40'
  })
  return card
}

async function boxes(elements: Locator): Promise<{ x: number; y: number; width: number; height: number }[]> {
  const found = await Promise.all((await elements.all()).map((element) => element.boundingBox()))
  return found.filter((box) => box !== null)
}

const tiles = (page: Page) => page.getByTestId('tile')
const tile = (page: Page, name: string) => page.getByRole('gridcell', { name })

test('a fresh base says how to connect a controller', async ({ page, daemon }) => {
  await openScreen(page, daemon.ready)
  await expect(page).toHaveTitle('Flightcase')
  await expect(page).toHaveURL(`${daemon.ready.admin.url}/field`)
  await expect(page.getByRole('heading', { name: 'No controller has connected yet' })).toBeVisible()
  await shoot(page, 'field-empty')
  await expectUsable(page)
  await page.getByRole('link', { name: 'Assets' }).click()
  await expect(page.getByRole('heading', { name: 'No photos or videos yet' })).toBeVisible()
  await shoot(page, 'assets-empty')
  await page.getByRole('link', { name: 'Connect a controller' }).click()
  await expect(page.getByTestId('connect-guide')).toBeVisible()
})

test('Field follows an upload, byte by byte', async ({ page, daemon }) => {
  const [first] = await theCard(daemon)
  const controller = daemon.controller({
    deviceId: 'RC-PLUS-7',
    bytesPerSecond: first?.sizeBytes ?? 0
  })
  await openScreen(page, daemon.ready)
  const offered = controller.offer(await theCard(daemon), {
    mission: { groupId: 'b7a2c1de-7c0a-4b8e-9a55-000000000001', path: 'East slope', fileCount: files + 2 }
  })
  offered.catch(() => {})
  const lane = page.getByTestId('lane')
  const bar = lane.getByRole('progressbar')
  await expect(lane).toHaveCount(1)
  await expect(lane.getByText('Online')).toBeVisible()
  await expect(lane.getByTestId('lane-verdict')).toContainText(`of ${files} are here`)
  await expect
    .poll(async () => Number(await bar.getAttribute('aria-valuenow', { timeout: 1000 }).catch(() => '0')))
    .toBeGreaterThan(15)
  await expect(lane.getByTestId('lane-current')).toContainText(/[kM]B\/s/)
  await shoot(page, 'field-uploading')
  await expectUsable(page)

  const result = await offered
  expect(result.uploaded).toHaveLength(files)
  await expect(lane.getByTestId('lane-verdict')).toHaveText(`All ${files} files it offered are here`)
  await expect(page.getByTestId('flight')).toContainText(`${files} of ${files + 2}`)
  await expect(page.getByTestId('flight')).toContainText('2 missing')
  await shoot(page, 'field-done')
})

test('a second controller that fails and goes away is told in words', async ({ page, daemon }) => {
  const [photo] = await createPhotoCard({
    directory: join(daemon.scratchDir, 'second'),
    count: 1,
    seed: 8,
    withClip: false
  })
  if (!photo) throw new Error('no photo')
  await openScreen(page, daemon.ready)
  const controller = daemon.controller({ deviceId: 'RC-PRO-2', droneSerial: '1581F000002DEMO' })
  await controller.offer([photo], { mishaps: new Map([[photo, 'give-up']]) })
  const lane = page.getByTestId('lane').filter({ hasText: 'RC-PRO-2' })
  await expect(lane.getByTestId('lane-verdict')).toHaveText(
    'One file did not arrive. Upload it again from the controller'
  )
  await expect(lane.getByTestId('lane-error')).toContainText('The controller reported that the upload failed')
  await expect(lane.getByTestId('lane-error')).toContainText(photo.name)
  await shoot(page, 'field-failed')
})

test('the grid shows every file with its preview, day by day', async ({ page, daemon }) => {
  await waitUntilIdle(daemon.admin)
  await openScreen(page, daemon.ready, '/assets')
  await expect(tiles(page)).toHaveCount(files)
  await expect(page.getByText('Saturday, November 21, 2026')).toBeVisible()
  await expect(page.getByText('Friday, November 20, 2026')).toBeAttached()
  await expect
    .poll(() =>
      tiles(page)
        .locator('img')
        .evaluateAll((images) => images.filter((image) => (image as HTMLImageElement).naturalWidth > 0).length)
    )
    .toBeGreaterThanOrEqual(photos)
  await shoot(page, 'assets-grid')
  await expectUsable(page)
})

test('filters stand in the address and can be cleared', async ({ page, daemon }) => {
  await openScreen(page, daemon.ready, '/assets')
  await expect(tiles(page)).toHaveCount(files)
  await page.getByText('Videos', { exact: true }).click()
  await expect(tiles(page)).toHaveCount(1)
  await expect(page).toHaveURL(/kind=video/)
  await shoot(page, 'assets-filtered')
  await page.getByRole('button', { name: 'Clear filters' }).click()
  await expect(tiles(page)).toHaveCount(files)
  await page.getByLabel('Day').selectOption('2026-11-20')
  await expect(tiles(page)).toHaveCount(7)
  await page.reload()
  await expect(tiles(page)).toHaveCount(7)
  await page.goto(`${daemon.ready.admin.url}/assets?kind=document`)
  await expect(page.getByRole('heading', { name: 'Nothing matches these filters' })).toBeVisible()
  await shoot(page, 'assets-nothing')
  await page.getByRole('main').getByRole('button', { name: 'Clear filters' }).last().click()
  await expect(tiles(page)).toHaveCount(files)
})

test('the inspector zooms to single pixels and tells what is known', async ({ page, daemon }) => {
  await openScreen(page, daemon.ready, '/assets')
  await expect(tiles(page)).toHaveCount(files)
  await page.getByRole('grid').focus()
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press('Enter')
  const inspector = page.getByTestId('inspector')
  const picture = inspector.getByTestId('picture')
  await expect(picture).toHaveAttribute('data-original', 'shown')
  await expect(inspector.getByText(`3 of ${files}`)).toBeVisible()
  await shoot(page, 'inspector')
  await expectUsable(page)
  await inspector.getByRole('button', { name: '100%' }).click()
  await expect(inspector.getByTestId('zoom-level')).toHaveText('100%')
  const naturalWidth = await picture
    .locator('img')
    .last()
    .evaluate((image) => (image as HTMLImageElement).naturalWidth)
  await expect.poll(async () => Math.round((await picture.boundingBox())?.width ?? 0)).toBe(naturalWidth)
  await shoot(page, 'inspector-100')
  await inspector.getByRole('button', { name: 'Fit' }).click()

  const panels = inspector.getByTestId('inspector-panels')
  await expect(panels).toContainText('UTC+08:00')
  await expect(panels).toContainText(/22\.58\d+, 113\.93\d+/)
  await expect(panels).toContainText('f/2.8 · ISO 100')
  await expect(panels).toContainText(/[0-9a-f]{64}/)
  await expect(panels.getByTestId('reference')).toHaveCount(1)
  await expect(panels).toContainText('Arrived in the base')
  await panels.evaluate((element) => element.scrollTo(0, element.scrollHeight))
  await shoot(page, 'inspector-facts')

  const address = page.url()
  await page.keyboard.press('ArrowRight')
  await expect(page).not.toHaveURL(address)
  await page.keyboard.press('ArrowLeft')
  await expect(page).toHaveURL(address)
  await page.reload()
  await expect(picture).toHaveAttribute('data-original', 'shown')
  await page.keyboard.press('Escape')
  await expect(inspector).toBeHidden()
  await expect(page.getByRole('grid')).toBeFocused()
})

test('a video plays', async ({ page, daemon }) => {
  await openScreen(page, daemon.ready, '/assets?kind=video')
  await tiles(page).first().click()
  const video = page.locator('video')
  await expect(video).toBeVisible()
  await video.evaluate((element) => (element as HTMLVideoElement).play())
  await expect.poll(() => video.evaluate((element) => (element as HTMLVideoElement).currentTime)).toBeGreaterThan(0.3)
  await shoot(page, 'inspector-video')
})

test('deleting can be taken back', async ({ page, daemon }) => {
  await openScreen(page, daemon.ready, '/assets')
  await expect(tiles(page)).toHaveCount(files)
  const name = (await theCard(daemon)).at(-1)?.name ?? ''
  await page.getByRole('grid').focus()
  await page.keyboard.press('Delete')
  await expect(tiles(page)).toHaveCount(files - 1)
  await expect(tile(page, name)).toHaveCount(0)
  await expect(page.getByText(`"${name}" is in the bin.`)).toBeVisible()
  await shoot(page, 'assets-undo')
  await page.getByRole('button', { name: 'Undo' }).click()
  await expect(tiles(page)).toHaveCount(files)
  await expect(tile(page, name)).toHaveCount(1)

  await tile(page, name).click()
  const address = page.url()
  await page.getByTestId('inspector').getByRole('button', { name: 'Move to bin' }).click()
  await expect(page.getByText(`"${name}" is in the bin.`)).toBeVisible()
  // The next file takes the place of the binned one, and its tools appear when it is read.
  await expect(page.getByRole('toolbar')).toBeVisible()
  await expect
    .poll(async () => {
      const tools = await page.getByRole('toolbar').boundingBox()
      const toast = await page.getByRole('status').filter({ hasText: 'is in the bin.' }).boundingBox()
      return tools !== null && toast !== null && toast.y + toast.height <= tools.y
    })
    .toBe(true)
  await shoot(page, 'inspector-undo')
  await page.keyboard.press('Control+z')
  await expect(page.getByText(`"${name}" is back.`)).toBeVisible()

  await page.goto(address)
  await page.getByTestId('inspector').getByRole('button', { name: 'Move to bin' }).click()
  await expect(page.getByText(`"${name}" is in the bin.`)).toBeVisible()
  await page.goto(address)
  await expect(page.getByTestId('inspector').getByRole('alert')).toContainText('This file is in the bin')
  await shoot(page, 'inspector-binned')
  await page.getByRole('button', { name: 'Bring back' }).click()
  await expect(page.getByText('This file is in the bin')).toHaveCount(0)
  await page.keyboard.press('Escape')
  await expect(tiles(page)).toHaveCount(files)
})

test('a tag that was given, and words of a name, find a file', async ({ page, daemon }) => {
  await openScreen(page, daemon.ready, '/assets')
  await expect(tiles(page)).toHaveCount(files)
  await tiles(page).nth(2).click()
  const panels = page.getByTestId('inspector-panels')
  const input = page.getByRole('combobox', { name: 'Add a tag' })
  for (const tag of ['屋顶巡检', 'east slope']) {
    await input.fill(tag)
    await input.press('Enter')
    await expect(panels).toContainText(tag)
  }
  await input.press('Backspace')
  await expect(panels).not.toContainText('屋顶巡检')
  await page.getByRole('button', { name: 'Undo' }).click()
  await expect(panels).toContainText('屋顶巡检')
  await shoot(page, 'inspector-tags')
  await expectUsable(page)
  await page.keyboard.press('Escape')

  await page.getByRole('combobox', { name: 'Tag' }).selectOption('屋顶巡检')
  await expect(tiles(page)).toHaveCount(1)
  await shoot(page, 'assets-tag')
  await expectUsable(page)
  await page.getByRole('button', { name: 'Clear filters' }).click()
  await expect(tiles(page)).toHaveCount(files)
  await page.getByRole('searchbox', { name: 'Search names' }).fill('jpg 0003')
  await expect(tiles(page)).toHaveCount(1)
  await page.getByRole('button', { name: 'Clear the search' }).click()
  await expect(tiles(page)).toHaveCount(files)
})

test('files that arrive do not move what one is looking at', async ({ page, daemon }) => {
  await page.setViewportSize({ width: 720, height: 480 })
  await openScreen(page, daemon.ready, '/assets')
  await expect(tiles(page).first()).toBeVisible()
  const scroller = page.getByTestId('asset-scroller')
  await scroller.evaluate((element) => element.scrollTo(0, 420))
  const seen = await tiles(page).evaluateAll(
    (elements) => elements.find((element) => element.getBoundingClientRect().top > 150)?.id ?? ''
  )
  const before = await page.locator(`#${seen}`).boundingBox()
  const arriving = await createPhotoCard({
    directory: join(daemon.scratchDir, 'third'),
    count: 3,
    seed: 9,
    startedAt: '2026-11-22T10:00:00',
    withClip: false
  })
  await daemon.controller({ deviceId: 'RC-PLUS-7' }).offer(arriving)
  await expect(page.getByRole('button', { name: '3 new files' })).toBeVisible()
  expect((await page.locator(`#${seen}`).boundingBox())?.y).toBeCloseTo(before?.y ?? 0, 0)
  await shoot(page, 'assets-arrivals')
  await page.getByRole('button', { name: '3 new files' }).click()
  await expect(page.getByText('Sunday, November 22, 2026')).toBeVisible()
})

test('Chinese, and it stays Chinese', async ({ page, daemon }) => {
  await openScreen(page, daemon.ready)
  await page.getByRole('button', { name: 'Language and display' }).click()
  await expectUsable(page)
  await page.getByRole('menuitemradio', { name: '简体中文' }).click()
  await page.keyboard.press('Escape')
  await expect(page.getByRole('heading', { name: '现场' })).toBeVisible()
  await page.reload()
  await expect(page.getByTestId('lane').first()).toBeVisible()
  await expect(page.locator('html')).toHaveAttribute('lang', 'zh-CN')
  await shoot(page, 'zh-field')
  await expectUsable(page)
  await page.getByRole('button', { name: '添加遥控器' }).click()
  await page.getByRole('button', { name: '创建令牌' }).click()
  await expect(page.getByTestId('token-secret')).toBeVisible()
  await shoot(page, 'zh-pairing-token')
  await page.getByRole('button', { name: '完成' }).click()
  await page.getByRole('button', { name: '添加遥控器' }).click()
  await page.getByTestId('controller-token').getByRole('button').click()
  await shoot(page, 'zh-pairing-revoke')
  await expectUsable(page)
  await page.keyboard.press('Escape')
  await page.getByRole('link', { name: '素材' }).click()
  await expect(tiles(page).first()).toBeVisible()
  await shoot(page, 'zh-assets')
  await tiles(page).first().click()
  await expect(page.getByTestId('picture')).toHaveAttribute('data-original', 'shown')
  await shoot(page, 'zh-inspector')
  await expectUsable(page)
})

for (const theme of ['dark', 'contrast'] as const)
  test(`the ${theme} display`, async ({ page, daemon }) => {
    await page.addInitScript(
      (value) => localStorage.setItem('flightcase.preferences', value),
      JSON.stringify({ theme })
    )
    await openScreen(page, daemon.ready)
    await expect(page.getByTestId('lane').first()).toBeVisible()
    await shoot(page, `${theme}-field`)
    await page.getByRole('link', { name: 'Assets' }).click()
    await expect(tiles(page).first()).toBeVisible()
    await shoot(page, `${theme}-assets`)
    await tiles(page).first().click()
    await expect(page.getByTestId('picture')).toHaveAttribute('data-original', 'shown')
    await shoot(page, `${theme}-inspector`)
  })

test('everything is within reach at 200 % zoom', async ({ page, daemon }) => {
  await page.setViewportSize({ width: 640, height: 360 })
  await openScreen(page, daemon.ready)
  await expect(page.getByTestId('lane').first()).toBeVisible()
  await shoot(page, 'zoomed-field')
  await expectUsable(page)
  await page.getByRole('link', { name: 'Assets' }).click()
  await expect(tiles(page).first()).toBeVisible()
  await shoot(page, 'zoomed-assets')
  await expectUsable(page)
  await tiles(page).first().click()
  await expect(page.getByTestId('picture')).toHaveAttribute('data-original', 'shown')
  await shoot(page, 'zoomed-inspector')
  await expectUsable(page)
})

test('a card whose files are all damaged is told to be kept', async ({ page, daemon }) => {
  const directory = join(daemon.scratchDir, 'damaged')
  const [whole] = await createPhotoCard({ directory, count: 1, seed: 11, withClip: false })
  if (!whole) throw new Error('no photo')
  await writeFile(join(directory, 'DJI_20261121100001_0002_V.JPG'), 'no picture')
  await writeFile(join(directory, 'DJI_20261121100002_0003_V.JPG'), '')
  await truncate(whole.filePath, Math.floor(whole.sizeBytes / 2))
  const damaged = await readCard(directory)
  await openScreen(page, daemon.ready)
  const controller = daemon.controller({ deviceId: 'RC-SPOILED', droneSerial: '1581F000003DEMO' })
  expect((await controller.offer(damaged)).uploaded).toHaveLength(3)
  const lane = page.getByTestId('lane').filter({ hasText: 'RC-SPOILED' })
  await expect(lane.getByTestId('lane-verdict')).toHaveText('3 of 3 are here, 3 of them damaged. Keep the card')
  await expect(lane).toHaveAttribute('data-tone', 'bad')
  const rows = lane.getByTestId('lane-troubled').getByRole('listitem')
  await expect(rows).toHaveCount(3)
  await lane.scrollIntoViewIfNeeded()
  await shoot(page, 'field-damaged')
  await expectUsable(page)
  await rows.first().getByRole('link').click()
  await expect(page.getByTestId('inspector').getByRole('alert')).toContainText('Keep the memory card')
  await page.goto(`${daemon.ready.admin.url}/assets`)
  await expect(tiles(page).filter({ hasText: '1581F000003DEMO' })).toHaveCount(3)
  await shoot(page, 'assets-damaged')
})

test('a wrong token is told with its address', async ({ page }) => {
  const base = await startBase()
  try {
    await openScreen(page, base.ready)
    const card = await createPhotoCard({ directory: join(base.scratchDir, 'card'), count: 1, seed: 3, withClip: false })
    const notice = page.getByText(/127\.0\.0\.1 tried to sign in with a wrong token/)
    await expect(base.controller({ deviceId: 'RC-1', token: 'mistyped' }).offer(card)).rejects.toMatchObject({
      status: 401
    })
    await expect(notice).toBeVisible()
    await shoot(page, 'field-wrong-token')
    await base.controller({ deviceId: 'RC-1' }).offer(card)
    await expect(page.getByTestId('lane')).toHaveCount(1)
    await expect(notice).toHaveCount(0)
  } finally {
    await page.goto('about:blank')
    await base.close()
  }
})

for (const language of ['en', 'zh-CN'] as const)
  test(`a telephone shows everything, in ${language}`, async ({ page, daemon, browserErrors }) => {
    const look = async (name: string) => {
      await shoot(page, `phone-${language}-${name}`)
      await expectUsable(page)
    }
    await page.setViewportSize({ width: 390, height: 844 })
    await page.addInitScript(
      (value) => location.protocol === 'http:' && localStorage.setItem('flightcase.preferences', value),
      JSON.stringify({ language })
    )
    const fresh = await startBase({ FLIGHTCASE_PILOT_TOKEN: '' })
    try {
      await openScreen(page, fresh.ready)
      const guide = await page.getByTestId('connect-guide').boundingBox()
      expect((guide?.x ?? 0) + (guide?.width ?? 390)).toBeLessThan(380)
      await look('fresh')
    } finally {
      await page.goto('about:blank')
      await fresh.close()
    }
    await openScreen(page, daemon.ready)
    await expect(page.getByTestId('lane').first()).toBeVisible()
    await look('field')
    await page.getByTestId('lane-troubled').last().scrollIntoViewIfNeeded()
    await look('field-troubled')
    await page.goto(`${daemon.ready.admin.url}/assets`)
    await expect(tiles(page).first()).toBeVisible()
    for (const box of await boxes(page.getByRole('search').locator('select, label')))
      expect(box.x + box.width).toBeLessThan(388)
    await look('assets')
    // Not that of the damaged card, which has arrived last.
    await tile(page, '_0003_V.JPG').filter({ hasNotText: '1581F000003DEMO' }).first().click()
    const inspector = page.getByTestId('inspector')
    await expect(inspector.getByTestId('picture')).toHaveAttribute('data-original', 'shown')
    const [name] = await boxes(inspector.getByRole('heading', { level: 1 }))
    for (const button of await boxes(inspector.locator('header').getByRole('button')))
      expect(button.y + button.height <= (name?.y ?? 0) || button.x >= (name?.x ?? 0) + (name?.width ?? 0)).toBe(true)
    await look('inspector')
    await page.goto(`${daemon.ready.admin.url}/assets/${'a'.repeat(26)}`)
    await expect(inspector.getByRole('alert')).toBeVisible()
    await look('gone')
    for (const error of browserErrors.splice(0)) expect(error).toContain('404')
  })

test('without the link there is no way in; with its token there is', async ({ page, daemon, browserErrors }) => {
  await page.goto(`${daemon.ready.admin.url}/assets`)
  await expect(page.getByRole('heading', { name: 'Open with the link that Flightcase printed' })).toBeVisible()
  await shoot(page, 'session')
  await page.getByLabel('Or paste the link or its token here').fill('wrong')
  await page.getByRole('button', { name: 'Open', exact: true }).click()
  await expect(page.getByRole('alert')).toContainText('This access link is not valid any more')
  await shoot(page, 'session-refused')
  await expectUsable(page)
  const { secret } = await daemon.admin.api.call(createToken, { body: { name: 'Not a person', role: 'controller' } })
  await page.getByLabel('Or paste the link or its token here').fill(secret)
  await page.getByRole('button', { name: 'Open', exact: true }).click()
  await expect(page.getByRole('alert')).toContainText("This is a controller's token")
  await page.goto(`${daemon.ready.admin.url}/assets#token=${daemon.ready.admin.token}`)
  await expect(tiles(page).first()).toBeVisible()
  await expect(page).toHaveURL(`${daemon.ready.admin.url}/assets`)
  await page.context().clearCookies()
  await page.reload()
  await page
    .getByLabel('Or paste the link or its token here')
    .fill(`${daemon.ready.admin.url}/#token=${daemon.ready.admin.token}`)
  await page.getByRole('button', { name: 'Open', exact: true }).click()
  await expect(tiles(page).first()).toBeVisible()
  // The refusals are what this test is about.
  for (const error of browserErrors.splice(0)) expect(error).toMatch(/401|403/)
})

test('a controller is paired from the screen, signs in, and is shut out again', async ({ page }) => {
  const base = await startBase({ FLIGHTCASE_PILOT_TOKEN: '' })
  try {
    await openScreen(page, base.ready)
    const warning = page.getByText('No controller can sign in yet')
    await expect(warning).toBeVisible()
    await shoot(page, 'pairing-needed')
    await page.getByRole('button', { name: 'Add a controller' }).click()
    const dialog = page.getByRole('dialog')
    await expect(dialog.getByLabel('Name of the controller')).toHaveValue('Controller 1')
    await dialog.getByLabel('Name of the controller').fill('RC Plus north')
    await shoot(page, 'pairing-name')
    await expectUsable(page)
    await dialog.getByRole('button', { name: 'Make its token' }).click()
    const secret = (await dialog.getByTestId('token-secret').getByText(/^fc_/).textContent()) ?? ''
    await expect(warning).toHaveCount(0)
    await expect(dialog.getByText('Waiting for the controller to sign in…')).toBeVisible()
    await page.keyboard.press('Escape')
    await shoot(page, 'pairing-token')
    await expectUsable(page)

    const card = await createPhotoCard({ directory: join(base.scratchDir, 'card'), count: 1, seed: 3, withClip: false })
    const controller = base.controller({ deviceId: 'RC-PLUS-7', token: secret })
    expect((await controller.offer(card)).uploaded).toHaveLength(1)
    await expect(dialog.getByText('The controller has signed in.')).toBeVisible()
    await shoot(page, 'pairing-signed-in')
    await dialog.getByRole('button', { name: 'Done' }).click()
    await expect(page.getByTestId('lane').getByRole('heading')).toHaveText('RC Plus north')

    await page.getByRole('button', { name: 'Add a controller' }).click()
    const token = dialog.getByTestId('controller-token')
    await expect(token).toContainText('RC Plus north')
    await token.getByRole('button', { name: 'Revoke' }).click()
    await expect(token.getByRole('alertdialog')).toContainText('This cannot be undone')
    await shoot(page, 'pairing-revoke')
    await expectUsable(page)
    await token.getByRole('alertdialog').getByRole('button', { name: 'Revoke' }).click()
    await expect(token).toHaveCount(0)
    await expect(page.getByText('The token of "RC Plus north" is revoked.')).toBeVisible()
    await expect(controller.offer(card)).rejects.toMatchObject({ status: 401 })
  } finally {
    // A page that is left open would miss its base.
    await page.goto('about:blank')
    await base.close()
  }
})

/** A base of its own with some photos, for which the bin has room for so many days. */
async function startWithPhotos(binDays: number, count: number) {
  const base = await startBase({ FLIGHTCASE_BIN_DAYS: String(binDays) })
  const directory = join(base.scratchDir, 'card')
  const card = await createPhotoCard({ directory, count, seed: 21, withClip: false })
  await base.controller({ deviceId: 'RC-PLUS-7' }).offer(card)
  await waitUntilIdle(base.admin)
  const { items } = await base.admin.api.call(listAssets, {})
  return { base, items, ids: items.map(({ id }) => id) }
}

test('what was removed is found in the bin, comes back, or is deleted for good', async ({ page }) => {
  const { base, items, ids } = await startWithPhotos(12, 5)
  const media = async (id: string | undefined) =>
    (await page.request.get(`${base.ready.admin.url}/media/${id}`, { headers: { range: 'bytes=0-0' } })).status()
  try {
    await openScreen(page, base.ready)
    await page.getByRole('link', { name: 'Bin' }).click()
    await expect(page.getByRole('heading', { name: 'The bin is empty' })).toBeVisible()
    await shoot(page, 'bin-empty')
    await expectUsable(page)
    await page.getByRole('link', { name: 'Go to Assets' }).click()
    await expect(tiles(page)).toHaveCount(5)
    await page.getByRole('grid').focus()
    for (const { name } of items.slice(0, 4)) {
      await page.keyboard.press('Delete')
      await expect(page.getByText(`"${name}" is in the bin.`)).toBeVisible()
    }
    await expect(tiles(page)).toHaveCount(1)

    await page.getByRole('link', { name: 'Bin' }).click()
    await expect(tiles(page)).toHaveCount(4)
    await expect(page.getByText('12 days left')).toHaveCount(4)
    await expect(page.getByText('Removed files stay here for 12 days')).toBeVisible()
    // The newest was removed first, so it comes last.
    await expect(tiles(page).last()).toHaveId(`tile-${ids[0]}`)
    for (let messages = 3; messages > 0; messages--) await page.getByRole('button', { name: 'Close' }).first().click()
    await shoot(page, 'bin')
    await expectUsable(page)

    await page.getByRole('grid').focus()
    await page.keyboard.press('End')
    await page.keyboard.press('Enter')
    await expect(page).toHaveURL(`${base.ready.admin.url}/bin/${ids[0]}`)
    const inspector = page.getByTestId('inspector')
    await expect(inspector.getByRole('alert')).toContainText('It is deleted for good in 12 days, on ')
    await expect(inspector.getByTestId('picture')).toHaveAttribute('data-original', 'shown')
    await shoot(page, 'bin-inspector')
    await expectUsable(page)
    await inspector.getByRole('button', { name: 'Bring back' }).click()
    await expect(page.getByText(/is back\.$/)).toBeVisible()
    await expect(page).toHaveURL(`${base.ready.admin.url}/bin/${ids[1]}`)
    await expect(inspector.getByText('3 of 3')).toBeVisible()
    await page.keyboard.press('Control+z')
    // Removed last, it now comes first.
    await expect(inspector.getByText('4 of 4')).toBeVisible()
    await page.keyboard.press('Control+z')
    await expect(inspector.getByText('3 of 3')).toBeVisible()

    const question = page.getByRole('dialog', { name: /for good\?$/ })
    await page.keyboard.press('Delete')
    await expect(question).toContainText(/This frees [\d.]+ [kM]B\..*It cannot be undone\./)
    await expect(question.getByRole('button', { name: 'Keep it' })).toBeFocused()
    await shoot(page, 'bin-purge')
    await expectUsable(page)
    await page.keyboard.press('Escape')
    await expect(question).toHaveCount(0)
    await expect(inspector).toBeVisible()
    expect(await media(ids[1])).toBe(206)
    await inspector.getByRole('button', { name: 'Delete for good' }).click()
    await question.getByRole('button', { name: 'Delete for good' }).click()
    await expect(page.getByText(/is deleted for good\.$/)).toBeVisible()
    await expect(page).toHaveURL(`${base.ready.admin.url}/bin/${ids[2]}`)
    expect(await media(ids[1])).toBe(404)

    await page.keyboard.press('Escape')
    await expect(page.getByRole('grid')).toBeFocused()
    await expect(tiles(page)).toHaveCount(2)
    await page.keyboard.press('Delete')
    await expect(question).toBeVisible()
    await page.keyboard.press('Escape')
    await expect(page.getByRole('grid')).toBeFocused()
    await page.keyboard.press('Delete')
    await question.getByRole('button', { name: 'Delete for good' }).click()
    await expect(tiles(page)).toHaveCount(1)
    await expect(page.getByRole('grid')).toBeFocused()
    await expect(page.getByRole('grid')).toHaveAttribute('aria-activedescendant', `tile-${ids[3]}`)
    expect(await media(ids[2])).toBe(404)

    await page.getByRole('button', { name: 'Empty the bin' }).click()
    const emptying = page.getByRole('dialog', { name: 'Empty the bin?' })
    await expect(emptying).toContainText(/The one file in it is deleted for good\. This frees [\d.]+ [kM]B\./)
    await shoot(page, 'bin-emptying')
    await expectUsable(page)
    await emptying.getByRole('button', { name: 'Empty the bin' }).click()
    await expect(page.getByText(/^One file is deleted for good\. [\d.]+ [kM]B became free\.$/)).toBeVisible()
    await expect(page.getByRole('heading', { name: 'The bin is empty' })).toBeVisible()
    expect(await Promise.all(ids.map(media))).toEqual([206, 404, 404, 404, 206])
  } finally {
    await page.goto('about:blank')
    await base.close()
  }
})

for (const language of ['en', 'zh-CN'] as const)
  test(`the bin whose time is nearly over, followed live on a telephone, in ${language}`, async ({ page }) => {
    const { base, ids } = await startWithPhotos(3, 4)
    const [first, second, third, fourth] = ids.map((assetId) => ({ params: { assetId } }))
    if (!first || !second || !third || !fourth) throw new Error('no photos')
    const { call } = base.admin.api
    const look = async (name: string) => {
      await shoot(page, `phone-${language}-${name}`)
      await expectUsable(page)
    }
    try {
      await page.addInitScript(
        (value) => location.protocol === 'http:' && localStorage.setItem('flightcase.preferences', value),
        JSON.stringify({ language })
      )
      await page.setViewportSize({ width: 390, height: 844 })
      await openScreen(page, base.ready, '/bin')
      await expect(page.getByRole('link', { name: language === 'en' ? 'Go to Assets' : '前往素材' })).toBeVisible()
      await look('bin-empty')
      for (const asset of [first, second, third, fourth]) await call(deleteAsset, { ...asset, query: {} })
      await expect(tiles(page)).toHaveCount(4)
      await call(restoreAsset, fourth)
      await expect(tiles(page)).toHaveCount(3)
      await call(deleteAsset, { ...third, query: { permanent: 'true' } })
      await expect(tiles(page)).toHaveCount(2)
      await expect(page.getByText(language === 'en' ? '3 days left' : '还剩 3 天')).toHaveCount(2)
      await look('bin')
      await tiles(page).first().click()
      await expect(page.getByTestId('picture')).toHaveAttribute('data-original', 'shown')
      await look('bin-inspector')
      await page.getByRole('button', { name: language === 'en' ? 'Delete for good' : '永久删除' }).click()
      await expect(page.getByRole('dialog').last()).toContainText(/[\d.] ?[kM]B/)
      await look('bin-purge')
      await page.keyboard.press('Escape')
      await page.keyboard.press('Escape')
      await page.setViewportSize({ width: 1280, height: 720 })
      await expect(tiles(page)).toHaveCount(2)
      await shoot(page, language === 'en' ? 'bin-soon' : 'zh-bin')
      await page.getByRole('button', { name: language === 'en' ? 'Empty the bin' : '清空回收站' }).click()
      await expect(page.getByRole('dialog')).toContainText(/[\d.] ?[kM]B/)
      await shoot(page, language === 'en' ? 'bin-soon-emptying' : 'zh-bin-emptying')
      await expectUsable(page)
      // As at 200 % zoom.
      await page.setViewportSize({ width: 640, height: 360 })
      await shoot(page, `zoomed-${language}-bin-emptying`)
      await expectUsable(page)
      await page.keyboard.press('Escape')
      await expect(page.getByRole('dialog')).toHaveCount(0)
      await shoot(page, `zoomed-${language}-bin`)
      await expectUsable(page)
    } finally {
      await page.goto('about:blank')
      await base.close()
    }
  })

test('a base that goes away is missed', async ({ page, browserErrors }) => {
  const first = await startBase()
  try {
    await openScreen(page, first.ready)
    await expect(page.getByTestId('connect-guide')).toBeVisible()
    await first.process.kill()
    await expect(page.getByText('Base not reachable, trying again…').first()).toBeVisible()
    await shoot(page, 'field-lost')
  } finally {
    await first.close()
  }
  for (const error of browserErrors.splice(0)) expect(error).toMatch(/ERR_|Failed to load resource/)
})
