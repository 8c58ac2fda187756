import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test as base, chromium, expect, type Page } from '@playwright/test'
import config from '../playwright.config.ts'
import { type AdminAccess, openAdmin } from '../src/demo/admin-access.ts'
import { type DaemonProcess, launchDaemon } from '../src/demo/daemon-process.ts'
import { PilotController } from '../src/demo/pilot-controller.ts'
import type { ReadyInfo } from '../src/shared/ready.ts'

const root = join(import.meta.dirname, '..')
const pilotToken = 'controller-token-of-the-browser-tests'
const workspaceId = 'e3dea0f5-37f2-4d79-ae58-490af3228069'

/** A running headless daemon on a data directory of its own, with a place for test files. */
export interface TestBase {
  ready: ReadyInfo
  admin: AdminAccess
  process: DaemonProcess
  /** Deleted at the end together with the data. */
  scratchDir: string
  /** A controller that may upload here, by a token that is valid without any doing; it ends with the daemon. */
  controller(options: {
    deviceId: string
    token?: string
    droneSerial?: string
    bytesPerSecond?: number
  }): PilotController
}

/** Starts a daemon from its sources. `close` ends it and deletes its data. */
export async function startBase(env: Record<string, string> = {}): Promise<TestBase & { close(): Promise<void> }> {
  if (!existsSync(join(root, 'out/renderer/index.html')))
    throw new Error('The screen is not built. Run: npm run build:web')
  const scratchDir = await mkdtemp(join(tmpdir(), 'flightcase-e2e-'))
  const process = launchDaemon({
    dataDir: join(scratchDir, 'data'),
    env: { FLIGHTCASE_PILOT_TOKEN: pilotToken, ...env }
  })
  const controllers: PilotController[] = []
  const close = async () => {
    for (const controller of controllers) controller.close()
    await process.stop()
    await rm(scratchDir, { recursive: true, force: true })
  }
  const ready = await process.ready.catch(async (error: unknown) => {
    await close()
    throw error
  })
  return {
    ready,
    admin: openAdmin(ready.admin),
    process,
    scratchDir,
    close,
    controller({ deviceId, token = pilotToken, droneSerial = '1581F000001DEMO', bytesPerSecond }) {
      const controller = new PilotController({
        fieldUrl: ready.field.url,
        token,
        workspaceId,
        deviceId,
        droneSerial,
        droneModelKey: '0-99-0',
        payloadModelKey: '1-88-0',
        photoType: 'original',
        ...(bytesPerSecond === undefined ? {} : { bytesPerSecond })
      })
      controllers.push(controller)
      return controller
    }
  }
}

/** Why no browser test can run here, or undefined. Says so loudly, because a skipped test is easily overlooked. */
export function missingBrowser(): string | undefined {
  const path = config.use?.launchOptions?.executablePath ?? chromium.executablePath()
  if (existsSync(path)) return undefined
  const why = `no Chromium at ${path} (set CHROMIUM_PATH, or run: npx playwright install chromium)`
  console.warn(`\n!!! SKIPPED browser tests: ${why} !!!\n`)
  return why
}

/** Opens the screen as the printed link does and waits until it is there. */
export async function openScreen(page: Page, { admin }: ReadyInfo, path = '/'): Promise<void> {
  await page.goto(`${admin.url}${path}#token=${admin.token}`)
  await expect(page.getByTestId('app')).toBeVisible()
  await expect(page.getByText(/Base connected|基站已连接/)).toBeVisible()
}

/** Tests whose page must stay free of errors: whatever the browser reports, Content-Security-Policy included, fails them. */
export const test = base.extend<{ browserErrors: string[] }, { daemon: TestBase }>({
  daemon: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of wanted fixtures from this pattern
    async ({}, use) => {
      const daemon = await startBase()
      await use(daemon)
      await daemon.close()
    },
    { scope: 'worker', timeout: 60_000 }
  ],
  browserErrors: [
    async ({ page }, use) => {
      const errors: string[] = []
      page.on('pageerror', (error) => errors.push(String(error)))
      page.on('console', (message) => {
        if (message.type() === 'error') errors.push(`${message.text()} (${message.location().url})`)
      })
      await use(errors)
      expect(errors).toEqual([])
    },
    { auto: true }
  ]
})
