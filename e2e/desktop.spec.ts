import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { _electron, test as base, expect as baseExpect, type ElectronApplication } from '@playwright/test'
import { findElectronBinary } from '../scripts/electron-binary.ts'
import { findChromium } from '../test/fake-electron/find-chromium.ts'

// An application, a browser and a daemon start in each test, on whatever machine this is.
const expect = baseExpect.configure({ timeout: 30_000 })

const root = join(import.meta.dirname, '..')
const standInDir = join(root, 'test/fake-electron/bin')

type Kind = 'stand-in' | 'real'

/** Why a kind of Electron cannot be driven here, or undefined. */
function obstacle(kind: Kind): string | undefined {
  if (kind === 'real')
    return findElectronBinary() ? undefined : 'no Electron binary is installed (npm run setup fetches one)'
  if (process.platform === 'win32') return 'the stand-in needs a POSIX shell'
  return findChromium() ? undefined : 'no Chromium is installed (or set CHROMIUM_PATH)'
}

interface Fixtures {
  kind: Kind
  /** Environment of the application beside the usual. */
  extraEnv: Record<string, string>
  dataDir: string
  app: ElectronApplication
}

const test = base.extend<Fixtures>({
  kind: ['stand-in', { option: true }],
  extraEnv: [{}, { option: true }],
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names from the pattern
  dataDir: async ({}, use) => {
    const dir = mkdtempSync(join(tmpdir(), 'flightcase-desktop-'))
    await use(dir)
    rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  },
  app: async ({ kind, dataDir, extraEnv }, use) => {
    const app = await launch(kind, { ...desktopEnv(dataDir), ...extraEnv })
    const child = app.process()
    await use(app)
    if (child.exitCode === null) await app.close()
  }
})

/** Any free port for every listener, so that nothing on this machine is in the way. */
const listeners = {
  FLIGHTCASE_FIELD: '127.0.0.1:0',
  FLIGHTCASE_ADMIN: '127.0.0.1:0',
  FLIGHTCASE_S3: '127.0.0.1:0',
  FLIGHTCASE_MQTT: '127.0.0.1:0'
}

function desktopEnv(dataDir: string): Record<string, string> {
  const inherited = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return { ...Object.fromEntries(inherited), ...listeners, LANG: 'en_US.UTF-8', FLIGHTCASE_DATA_DIR: dataDir }
}

/**
 * Starts the built application. Playwright gets no executablePath, because only then does it inject the loader that
 * holds `ready` back until it is attached; the stand-in is chosen through Electron's own variable instead.
 */
async function launch(kind: Kind, env: Record<string, string>): Promise<ElectronApplication> {
  if (kind === 'stand-in') process.env.ELECTRON_OVERRIDE_DIST_PATH = standInDir
  try {
    return await _electron.launch({ args: [root], cwd: root, env })
  } finally {
    delete process.env.ELECTRON_OVERRIDE_DIST_PATH
  }
}

/** Process id of the daemon, or undefined while there is none. */
function daemonPid(app: ElectronApplication): Promise<number | undefined> {
  return app.evaluate(({ app }) => app.getAppMetrics().find(({ name }) => name === 'Flightcase base')?.pid)
}

/** All living processes below `pid`, however deep. */
function descendants(pid: number): number[] {
  const rows = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , stat]) => !stat?.startsWith('Z'))
  const childrenOf = (parent: number): number[] =>
    rows
      .filter(([, ppid]) => Number(ppid) === parent)
      .flatMap(([child]) => [Number(child), ...childrenOf(Number(child))])
  return childrenOf(pid)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

for (const kind of ['stand-in', 'real'] as const) {
  test.describe(`desktop on ${kind} Electron`, () => {
    const reason = obstacle(kind)
    const required = kind === 'real' && process.env.REQUIRE_ELECTRON === '1'
    if (reason && !required) console.warn(`\n!!! SKIPPED desktop tests on ${kind} Electron: ${reason} !!!\n`)
    test.skip(reason !== undefined && !required, reason)
    test.use({ kind })

    test('opens the admin page in a hardened window', async ({ app, dataDir }) => {
      const page = await app.firstWindow()
      await expect(page.getByTestId('app').getByRole('navigation')).toBeVisible()
      await expect(page).toHaveTitle('Flightcase')
      expect(new URL(page.url()).protocol).toBe('http:')
      expect(page.url()).not.toContain('token')
      expect(await page.evaluate(() => window.flightcase?.appInfo())).toMatchObject({ dataDir })
      expect(await page.evaluate(() => 'require' in window || 'process' in window)).toBe(false)
      await page.screenshot({ path: `test-results/desktop-${kind}.png` })
    })

    test('stays on its own pages and opens others outside, on request only', async ({ app }) => {
      const page = await app.firstWindow()
      await expect(page.getByTestId('app')).toBeVisible()
      const home = page.url()
      await app.evaluate(({ shell }) => {
        const opened: string[] = []
        Object.assign(globalThis, { opened })
        shell.openExternal = async (url) => void opened.push(url)
      })
      const opened = () => app.evaluate(() => Reflect.get(globalThis, 'opened'))

      await page.evaluate(() => window.open('https://example.invalid/unasked'))
      await page.mouse.click(5, 5)
      await page.evaluate(() => window.open('file:///etc/passwd'))
      await page.mouse.click(5, 5)
      await page.evaluate(() => window.open('https://example.invalid/asked'))
      await expect.poll(opened).toEqual(['https://example.invalid/asked'])

      await app.evaluate(({ webContents }) => {
        const refused: string[] = []
        Object.assign(globalThis, { refused })
        for (const contents of webContents.getAllWebContents())
          contents.on('will-navigate', (event) => void (event.defaultPrevented && refused.push(event.url)))
      })
      await page.evaluate(() => location.assign('https://example.invalid/away'))
      await expect
        .poll(() => app.evaluate(() => Reflect.get(globalThis, 'refused')))
        .toEqual(['https://example.invalid/away'])
      await expect(page.getByTestId('app')).toBeVisible()
      expect(page.url()).toBe(home)
      expect(app.windows()).toHaveLength(1)
    })

    test('comes back when the daemon is killed, to where the person was', async ({ app }) => {
      const page = await app.firstWindow()
      await page.getByTestId('app').getByRole('link', { name: 'Assets' }).click()
      await expect(page).toHaveURL(/\/assets$/)
      const visited: string[] = []
      page.on('framenavigated', (frame) => visited.push(frame.url()))
      const before = await daemonPid(app)
      if (before === undefined) throw new Error('the daemon has no process')

      process.kill(before, 'SIGKILL')
      await expect.poll(() => visited.filter((url) => url.endsWith('/status-page/index.html'))).toHaveLength(1)
      await expect(page.getByTestId('app').getByRole('navigation')).toBeVisible()
      await expect(page).toHaveURL(/^http:.*\/assets$/)
      const after = await daemonPid(app)
      expect(after).not.toBe(before)
      expect(after && isAlive(after)).toBe(true)
    })

    test.describe('when the daemon cannot start', () => {
      test.use({ extraEnv: { FLIGHTCASE_FIELD: 'nowhere' } })

      test('says why in two languages, and offers to retry', async ({ app, kind }) => {
        const page = await app.firstWindow()
        const status = page.getByTestId('desktop-status')
        await expect(status).toContainText('The media base is not running')
        await expect(status).toContainText('媒体基站未运行')
        await expect(status.getByRole('alert')).toContainText('FLIGHTCASE_FIELD')
        await page.screenshot({ path: `test-results/desktop-${kind}-failure.png` })

        // Clicked the moment a pause begins: a start before its end can only come from the button.
        const startedEarly = await page.evaluate(
          () =>
            new Promise<boolean>((resolve) => {
              let retryAtMs: number | undefined
              window.flightcase?.onDaemonStatus((status) => {
                if (status.state === 'starting' && retryAtMs !== undefined) resolve(Date.now() < retryAtMs)
                if (status.state !== 'failed') return
                retryAtMs = status.retryAtMs
                document.querySelector<HTMLButtonElement>('[data-action="retry"]')?.click()
              })
            })
        )
        expect(startedEarly).toBe(true)
      })
    })

    test('keeps running when the window is closed; a second launch brings it back', async ({ kind, app, dataDir }) => {
      test.skip(kind === 'real', 'a second real instance needs the launcher of the platform')
      await expect((await app.firstWindow()).getByTestId('app')).toBeVisible()
      const isVisible = () => app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.isVisible())

      await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.close())
      expect(await isVisible()).toBe(false)
      expect(await daemonPid(app)).toBeGreaterThan(0)

      const second = spawn(join(standInDir, 'electron'), [root], { env: desktopEnv(dataDir), stdio: 'inherit' })
      expect(await once(second, 'exit')).toEqual([0, null])
      await expect.poll(isVisible).toBe(true)
    })

    test('quits with the daemon stopped in order and nothing left behind', async ({ app, dataDir }) => {
      await expect((await app.firstWindow()).getByTestId('app')).toBeVisible()
      const { pid } = app.process()
      if (pid === undefined) throw new Error('the application has no process')
      const family = descendants(pid)
      expect(family).toContain(await daemonPid(app))

      const exited = once(app.process(), 'exit')
      await app.close()
      expect(await exited).toEqual([0, null])
      await expect.poll(() => family.filter(isAlive)).toEqual([])
      expect(readFileSync(join(dataDir, 'desktop/logs/daemon.log'), 'utf8')).not.toBe('')
    })
  })
}
