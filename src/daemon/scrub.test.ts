import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { createPhotoCard } from '../demo/photo-card.ts'
import { getStorage, listDamagedAssets, startScrub } from '../shared/api/storage.ts'
import { flipBit } from './embedded-store/engine/engine-harness.ts'
import { testController } from './testing/test-controller.ts'
import { startTestDaemon } from './testing/test-daemon.ts'
import { temporaryFolder } from './testing/test-database.ts'

test('a photo that rotted on the disk is found off battery, told, and taken again from its controller', async () => {
  let onBattery = true
  const base = await startTestDaemon({ overrides: { isOnBattery: () => onBattery } })
  const card = await createPhotoCard({
    directory: join(temporaryFolder('card'), 'card'),
    count: 2,
    seed: 5,
    startedAt: '2026-04-07T10:00:00',
    megapixels: 0.3,
    withClip: false
  })
  const controller = testController(base)
  await controller.offer(card)
  await base.daemon.idle()

  const [rotten] = card
  if (!rotten) throw new Error('There are two photos.')
  const blobs = join(base.dataDir, 'store/blobs')
  const paths = readdirSync(blobs, { recursive: true, encoding: 'utf8' }).map((name) => join(blobs, name))
  const path = paths.find((file) => statSync(file).size === rotten.sizeBytes && statSync(file).isFile())
  await flipBit(path ?? '', rotten.sizeBytes - 1)
  const storage = () => base.api.call(getStorage, {})
  expect(await base.api.call(startScrub, {})).toMatchObject({ state: 'waiting' })
  expect(await storage()).toMatchObject({ damagedAssets: 0 })

  onBattery = false
  await vi.waitFor(
    async () => expect(await storage()).toMatchObject({ damagedAssets: 1, scrub: { state: 'idle' } }),
    20_000
  )
  const { items } = await base.api.call(listDamagedAssets, { query: {} })
  expect(items).toMatchObject([{ name: rotten.name, remedy: 'send_again' }])
  expect((await controller.offer(card)).uploaded).toHaveLength(1)
  await base.daemon.idle()
  expect(await storage()).toMatchObject({ damagedAssets: 0 })
})
