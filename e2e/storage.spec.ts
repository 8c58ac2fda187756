import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from '@playwright/test'
import { waitUntilIdle } from '../src/demo/catalogue-check.ts'
import { createPhotoCard } from '../src/demo/photo-card.ts'
import { listAssets } from '../src/shared/api/assets.ts'
import { getStorage, type Storage } from '../src/shared/api/storage.ts'
import { missingBrowser, openScreen, startBase, test } from './daemon-fixture.ts'
import { choose, expectUsable, shoot } from './looks.ts'

const noBrowser = missingBrowser()
test.skip(noBrowser !== undefined, noBrowser)

test('what the store lost is told with its flight, and is gone from there when the controller sent it again', async ({
  page
}) => {
  const base = await startBase({ FLIGHTCASE_LIVE_ENABLED: 'false' })
  try {
    await openScreen(page, base.ready, '/storage')
    await expect(page.getByTestId('room')).toContainText(/photos, or .* of 4K video/)
    await shoot(page, 'storage-empty-en')

    const card = await createPhotoCard({
      directory: join(base.scratchDir, 'card'),
      count: 3,
      seed: 5,
      megapixels: 1,
      withClip: false
    })
    const controller = base.controller({ deviceId: 'RC-PLUS-7' })
    const mission = { groupId: 'b7a2c1de-7c0a-4b8e-9a55-000000000001', path: 'East slope', fileCount: 3 }
    await controller.offer(card, { mission })
    await waitUntilIdle(base.admin)
    await page.reload()
    await expect(page.getByTestId('room')).toContainText(/flights like today/)
    await expect(page.getByTestId('verdict')).toHaveText('The store is in order')

    await rm(join(base.scratchDir, 'data/store/blobs'), { recursive: true })
    const { items } = await base.admin.api.call(listAssets, {})
    for (const { id } of items) await base.admin.get(`/media/${id}`)
    // Told by an event: nobody asks for it.
    await expect(page.getByTestId('verdict')).toHaveText('3 files are damaged')
    await expect(page.getByTestId('damaged')).toHaveCount(3)
    await expect(page.getByTestId('damaged').first()).toContainText('East slope')
    await expectUsable(page)
    await shoot(page, 'storage-damaged-en')
    await choose(page, 'Dark', '简体中文')
    await expect(page.getByTestId('verdict')).toHaveText('3 个文件已损坏')
    await shoot(page, 'storage-damaged-zh-dark')
    await choose(page, '浅色', 'English')

    expect((await controller.offer(card, { mission })).uploaded).toHaveLength(3)
    await expect(page.getByTestId('damaged')).toHaveCount(0)
    await expect(page.getByTestId('verdict')).toHaveText('The store is in order')
  } finally {
    // Without its base the page would complain.
    await page.close()
    await base.close()
  }
})

const GB = 1e9
/** Of a store elsewhere that does not answer. */
const away = {
  latencyMs: null,
  clockDifferenceMs: null,
  disk: null,
  usage: null,
  room: null,
  scrub: null,
  index: null
} satisfies Partial<Storage>
/** What cannot be had on the machine that tests: its disk is full, fails, or is another size. */
const states: Record<string, Partial<Storage>> = {
  healthy: {},
  checking: {
    scrub: { state: 'running', finishedAt: '2026-11-01T12:00:00.000Z', roundBytes: 400 * GB, checkedBytes: 140 * GB }
  },
  'nearly-full': {
    disk: { totalBytes: 512 * GB, freeBytes: 36 * GB, availableBytes: 10 * GB },
    room: { flights: 0, flightBytes: 18 * GB, like: 'today' },
    usage: { objects: 9000, storedBytes: 440 * GB, unfinishedUploads: 2, unfinishedBytes: 3 * GB, idleUploads: 1 }
  },
  full: {
    trouble: 'full',
    disk: { totalBytes: 512 * GB, freeBytes: 25 * GB, availableBytes: 0 },
    room: { flights: 0, flightBytes: 18 * GB, like: 'today' }
  },
  'read-only': { trouble: 'read_only', reported: 'EROFS: read-only file system, open' },
  unplugged: {
    trouble: 'unplugged',
    reported: 'The folder is not there.',
    disk: null,
    usage: null,
    room: null,
    scrub: null,
    index: null
  },
  external: {
    ...away,
    mode: 'external',
    place: 'http://store.lan:9000',
    latencyMs: 12,
    clockDifferenceMs: 400_000
  },
  'external-unreachable': {
    ...away,
    mode: 'external',
    place: 'http://store.lan:9000',
    trouble: 'unreachable',
    reported: 'connect ECONNREFUSED 192.168.1.9:9000'
  },
  'external-other-store': {
    ...away,
    mode: 'external',
    place: 'http://store.lan:9000',
    trouble: 'other_store',
    reported: 'The bucket media at http://store.lan:9000 is not the store of this base, or it was emptied.'
  },
  'external-no-keys': {
    ...away,
    mode: 'external',
    place: 'http://store.lan:9000',
    latencyMs: 12,
    clockDifferenceMs: 0,
    credentialsRefused: 'AccessDenied: Access Denied.'
  },
  gateway: {
    ...away,
    mode: 'gateway',
    place: 'http://store.lan:9000',
    latencyMs: 12,
    clockDifferenceMs: 0,
    notConnected: [
      { place: '/home/pilot/.local/share/flightcase/store', bucket: null, assetTotal: 812, assetBytes: 40 * GB },
      { place: 'http://former.lan:9000', bucket: 'flights', assetTotal: 1, assetBytes: 0.2 * GB }
    ]
  }
}

test('every state of a store fits into any window, in both languages and every display', async ({ page, daemon }) => {
  let shown: Partial<Storage> = {}
  await page.route(`**${getStorage.path}`, async (route) => {
    const answer = await route.fetch()
    const real = getStorage.response.parse(await answer.json())
    await route.fulfill({
      json: {
        ...real,
        place: '/home/pilot/.local/share/flightcase/store',
        disk: { totalBytes: 512 * GB, freeBytes: 80 * GB, availableBytes: 57 * GB },
        assetTotal: 8214,
        assetBytes: 398 * GB,
        usage: { objects: 9000, storedBytes: 402 * GB, unfinishedUploads: 0, unfinishedBytes: 0, idleUploads: 0 },
        room: { flights: 3, flightBytes: 18 * GB, like: 'today' },
        scrub: { state: 'idle', finishedAt: '2026-11-18T12:00:00.000Z', roundBytes: 0, checkedBytes: 0 },
        ...shown
      } satisfies Storage
    })
  })
  await openScreen(page, daemon.ready, '/storage')
  for (const [name, state] of Object.entries(states)) {
    shown = state
    await page.reload()
    await expect(page.getByTestId('verdict')).toBeVisible()
    await expectUsable(page)
    await shoot(page, `storage-${name}-en`)
  }
  shown = states['nearly-full'] ?? {}
  await page.setViewportSize({ width: 390, height: 844 })
  await page.reload()
  await expect(page.getByTestId('verdict')).toBeVisible()
  await expectUsable(page)
  await shoot(page, 'storage-narrow-en')
  await page.setViewportSize({ width: 1280, height: 720 })
  await choose(page, '简体中文')
  await shoot(page, 'storage-zh')
  for (const name of ['external-other-store', 'external-no-keys', 'gateway']) {
    shown = states[name] ?? {}
    await page.reload()
    await expect(page.getByTestId('verdict')).toBeVisible()
    await expectUsable(page)
    await shoot(page, `storage-${name}-zh`)
  }
  await choose(page, '深色')
  await shoot(page, 'storage-zh-dark')
  await choose(page, '高对比度（强光下）')
  await expectUsable(page)
  await shoot(page, 'storage-zh-contrast')
})
