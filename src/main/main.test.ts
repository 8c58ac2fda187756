import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { bridgeChannels } from '../shared/bridge.ts'
import type { ReadyInfo } from '../shared/ready.ts'
import { supervisorTimes } from './daemon-supervisor.ts'
import * as electronModule from './testing/electron-module.ts'

const { app, electron, powerMonitor, vetoable } = electronModule

const ready: ReadyInfo = {
  event: 'ready',
  pid: 4711,
  admin: { url: 'http://127.0.0.1:8701', token: 'a/b' },
  field: { url: 'http://127.0.0.1:8700' },
  s3: { url: 'http://127.0.0.1:9000', bucket: 'media', region: 'us-east-1' }
}

const signals = ['SIGINT', 'SIGTERM'] as const
let dataDir: string
let foreignListeners: Map<string, unknown[]>

beforeEach(() => {
  vi.useFakeTimers()
  dataDir = mkdtempSync(join(tmpdir(), 'flightcase-main-'))
  vi.stubEnv('FLIGHTCASE_DATA_DIR', dataDir)
  electron.reset()
  // Each test runs the entry anew, against the same stand-in for Electron.
  vi.resetModules()
  vi.doMock('electron', () => electronModule)
  foreignListeners = new Map(signals.map((signal) => [signal, process.listeners(signal)]))
})

afterEach(() => {
  for (const signal of signals)
    for (const listener of process.listeners(signal))
      if (!foreignListeners.get(signal)?.includes(listener)) process.off(signal, listener)
  vi.useRealTimers()
  vi.unstubAllEnvs()
  rmSync(dataDir, { recursive: true })
})

/** Runs the entry of the main process and hands over what it made. */
async function launch() {
  await import('./index.ts')
  await vi.waitFor(() => expect(electron.children).toHaveLength(1))
  const [window, tray] = [electron.windows[0], electron.trays[0]]
  if (!window || !tray) throw new Error('no window or no tray')
  return { window, tray }
}

const child = (index = electron.children.length - 1) => {
  const found = electron.children[index]
  if (!found) throw new Error(`there was no start number ${index}`)
  return found
}
const lastLoaded = () => electron.windows[0]?.loaded.at(-1)
const statusUrl = expect.stringMatching(/^file:.*\/resources\/status-page\/index\.html$/)
const quitAttempt = () => {
  const event = vetoable()
  app.emit('before-quit', event)
  return event
}

describe('window', () => {
  test('is hardened and shows the admin page with its token when the daemon is ready', async () => {
    const { window } = await launch()
    expect(window.options.webPreferences).toMatchObject({
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      webviewTag: false,
      preload: expect.stringMatching(/preload\/index\.cjs$/)
    })
    expect(lastLoaded()).toEqual(statusUrl)
    child().emit('message', { type: 'ready', ready })
    expect(lastLoaded()).toBe('http://127.0.0.1:8701/#token=a%2Fb')
  })

  test('leaves its own pages for nothing', async () => {
    const { window } = await launch()
    child().emit('message', { type: 'ready', ready })
    const attempt = (name: string, url: string) => {
      const event = vetoable(url)
      window.webContents.emit(name, event)
      return event.defaultPrevented
    }
    for (const name of ['will-navigate', 'will-frame-navigate', 'will-redirect']) {
      expect(attempt(name, 'http://127.0.0.1:8701/assets')).toBe(false)
      for (const url of [
        'http://127.0.0.1:8700/',
        'https://example.invalid/',
        'file:///etc/passwd',
        'javascript:1',
        'x'
      ])
        expect(attempt(name, url)).toBe(true)
    }
    expect(attempt('will-attach-webview', 'http://127.0.0.1:8701/')).toBe(true)
  })

  test('opens web addresses outside, one per gesture, and never a window', async () => {
    const { window } = await launch()
    const open = (url: string) => expect(window.webContents.openHandler({ url })).toEqual({ action: 'deny' })
    const click = () => window.webContents.emit('input-event', {}, { type: 'mouseDown' })
    open('https://example.invalid/unasked')
    window.webContents.emit('input-event', {}, { type: 'mouseMove' })
    open('https://example.invalid/moved')
    click()
    open('https://example.invalid/asked')
    open('https://example.invalid/second')
    click()
    open('file:///etc/passwd')
    click()
    open('nonsense')
    click()
    vi.advanceTimersByTime(5_001)
    open('https://example.invalid/late')
    expect(electron.opened).toEqual(['https://example.invalid/asked'])
  })

  test('grants only full screen and writing text to the clipboard, and only to our pages', async () => {
    await launch()
    child().emit('message', { type: 'ready', ready })
    const decide = vi.fn()
    const origin = 'http://127.0.0.1:8701/'
    for (const [name, url, granted] of [
      ['fullscreen', origin, true],
      ['clipboard-sanitized-write', origin, true],
      ['clipboard-read', origin, false],
      ['media', origin, false],
      ['geolocation', origin, false],
      ['fullscreen', 'https://example.invalid/', false]
    ] as const) {
      electron.permissionRequest?.(null, name, decide, { requestingUrl: url })
      expect(decide).toHaveBeenLastCalledWith(granted)
      expect(electron.permissionCheck?.(null, name, url)).toBe(granted)
    }
  })

  test('hides when closed and says so once', async () => {
    const { window, tray } = await launch()
    window.emit('ready-to-show')
    window.close()
    expect(window.visible).toBe(false)
    tray.emit('click')
    expect(window.visible).toBe(true)
    window.close()
    expect(electron.notifications).toHaveLength(1)
  })

  test('loads again when its page fails or its renderer dies', async () => {
    const { window } = await launch()
    window.webContents.emit('did-fail-load', {}, -3, 'ERR_ABORTED', '', true)
    window.webContents.emit('did-fail-load', {}, -102, 'ERR_CONNECTION_REFUSED', '', false)
    vi.advanceTimersByTime(10_000)
    expect(window.loaded).toHaveLength(1)
    window.webContents.emit('did-fail-load', {}, -102, 'ERR_CONNECTION_REFUSED', '', true)
    vi.advanceTimersByTime(10_000)
    window.webContents.emit('render-process-gone', {}, { reason: 'oom' })
    vi.advanceTimersByTime(10_000)
    expect(window.loaded).toHaveLength(3)
  })
})

describe('bridge', () => {
  const ask = (channel: string, url: string | null) =>
    electron.bridge.get(channel)?.({ senderFrame: url === null ? null : { url } })

  test('answers our pages', async () => {
    await launch()
    child().emit('message', { type: 'ready', ready })
    const page = 'http://127.0.0.1:8701/assets?q=1'
    expect(ask(bridgeChannels.appInfo, page)).toEqual({ version: '1.2.3', platform: process.platform, dataDir })
    expect(ask(bridgeChannels.getDaemonStatus, page)).toEqual({ state: 'running', busy: false })
    ask(bridgeChannels.openDataFolder, page)
    ask(bridgeChannels.openLogFolder, page)
    expect(electron.opened).toEqual([dataDir, join(dataDir, 'desktop/logs')])
  })

  test('refuses every other page', async () => {
    await launch()
    child().emit('message', { type: 'ready', ready })
    for (const channel of electron.bridge.keys())
      for (const url of ['https://example.invalid/', 'http://127.0.0.1:8700/', 'file:///tmp/index.html', '', null])
        expect(() => ask(channel, url)).toThrow('page not trusted')
    expect(electron.bridge.size).toBe(5)
  })
})

describe('daemon', () => {
  test('gets its data folder and environment in its first message', async () => {
    await launch()
    expect(child().modulePath).toMatch(/daemon\/host\.js$/)
    expect(child().posted).toEqual([
      { type: 'start', dataDir, env: expect.objectContaining({ FLIGHTCASE_DATA_DIR: dataDir }) }
    ])
  })

  test('a failure is shown with its reason, and cured by retry', async () => {
    const { window } = await launch()
    child().emit('message', { type: 'failed', code: 'port_in_use', message: 'Port 8700 is taken.' })
    child().emit('exit', 1)
    expect(lastLoaded()).toEqual(statusUrl)
    expect(window.webContents.sent.at(-1)).toEqual([
      bridgeChannels.daemonStatus,
      {
        state: 'failed',
        failure: { code: 'port_in_use', message: 'Port 8700 is taken.' },
        retryAtMs: Date.now() + supervisorTimes.firstPauseMs
      }
    ])
    electron.bridge.get(bridgeChannels.retryDaemon)?.({ senderFrame: { url: window.webContents.url } })
    expect(electron.children).toHaveLength(2)
    child().emit('message', { type: 'ready', ready })
    expect(lastLoaded()).toMatch(/^http:/)
  })

  test('is started again with growing pauses, and the person comes back to where they were', async () => {
    const { window } = await launch()
    child().emit('message', { type: 'ready', ready })
    window.webContents.url = 'http://127.0.0.1:8701/assets?device=M3E'
    for (const pauseMs of [1_000, 2_000, 4_000]) {
      const starts = electron.children.length
      child().emit('exit', 137)
      expect(lastLoaded()).toEqual(statusUrl)
      vi.advanceTimersByTime(pauseMs - 1)
      expect(electron.children).toHaveLength(starts)
      vi.advanceTimersByTime(1)
      expect(electron.children).toHaveLength(starts + 1)
      child().emit('message', {
        type: 'ready',
        ready: { ...ready, admin: { url: 'http://127.0.0.1:9999', token: 't' } }
      })
      expect(lastLoaded()).toBe('http://127.0.0.1:9999/assets?device=M3E#token=t')
    }
  })

  test('writes what it prints to the log folder', async () => {
    await launch()
    child().stderr.emit('data', Buffer.from('{"level":30}\n'))
    expect(readFileSync(join(dataDir, 'desktop/logs/daemon.log'), 'utf8')).toBe('{"level":30}\n')
  })

  test('hears what the computer runs on', async () => {
    powerMonitor.onBattery = true
    await launch()
    const onBattery = { type: 'power', onBattery: true }
    expect(child().posted.slice(1)).toEqual([onBattery])
    powerMonitor.onBattery = false
    powerMonitor.emit('on-ac')
    expect(child().posted.at(-1)).toEqual({ type: 'power', onBattery: false })
    powerMonitor.onBattery = true
    powerMonitor.emit('on-battery')
    expect(child().posted.at(-1)).toEqual(onBattery)
  })

  test('keeps the computer awake only while it is busy', async () => {
    const { tray } = await launch()
    child().emit('message', { type: 'ready', ready })
    expect(electron.awake.size).toBe(0)
    child().emit('message', { type: 'activity', busy: true })
    child().emit('message', { type: 'activity', busy: true })
    expect([...electron.awake.values()]).toEqual(['prevent-app-suspension'])
    expect(tray.menu[1]).toMatchObject({ label: 'Receiving or working…', enabled: false })
    child().emit('message', { type: 'activity', busy: false })
    expect(electron.awake.size).toBe(0)
    expect(tray.menu[1]?.label).toBe('Ready, nothing to do')
    child().emit('message', { type: 'activity', busy: true })
    child().emit('exit', 1)
    expect(electron.awake.size).toBe(0)
  })
})

describe('quitting', () => {
  test('waits for the daemon, which is asked and not killed', async () => {
    const { window } = await launch()
    child().emit('message', { type: 'ready', ready })
    expect(quitAttempt().defaultPrevented).toBe(true)
    await vi.waitFor(() => expect(child().posted.at(-1)).toEqual({ type: 'stop' }))
    expect(quitAttempt().defaultPrevented).toBe(true)
    expect(electron.quit).not.toHaveBeenCalled()
    child().emit('exit', 0)
    await vi.waitFor(() => expect(electron.quit).toHaveBeenCalledTimes(1))
    expect(child().kill).not.toHaveBeenCalled()
    expect(quitAttempt().defaultPrevented).toBe(false)
    const close = vetoable()
    window.emit('close', close)
    expect(close.defaultPrevented).toBe(false)
    expect(electron.children).toHaveLength(1)
  })

  test('kills a daemon that does not stop in time', async () => {
    await launch()
    child().emit('message', { type: 'ready', ready })
    quitAttempt()
    await vi.advanceTimersByTimeAsync(supervisorTimes.stopMs - 1)
    expect(child().posted.at(-1)).toEqual({ type: 'stop' })
    expect(child().kill).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(child().kill).toHaveBeenCalledTimes(1)
  })

  test('asks first while files are in flight', async () => {
    electron.locale = 'zh-CN'
    await launch()
    child().emit('message', { type: 'ready', ready })
    child().emit('message', { type: 'activity', busy: true })
    quitAttempt()
    await vi.waitFor(() =>
      expect(electron.showMessageBox).toHaveBeenCalledWith(
        expect.objectContaining({ buttons: ['继续接收', '仍然退出'], cancelId: 0 })
      )
    )
    await vi.advanceTimersByTimeAsync(0)
    expect(child().posted.map(({ type }) => type)).toEqual(['start'])

    electron.showMessageBox.mockResolvedValueOnce({ response: 1 })
    quitAttempt()
    await vi.waitFor(() => expect(child().posted.at(-1)).toEqual({ type: 'stop' }))
    expect(electron.showMessageBox).toHaveBeenCalledTimes(2)
  })

  test('does not ask when the system shuts down', async () => {
    await launch()
    child().emit('message', { type: 'ready', ready })
    child().emit('message', { type: 'activity', busy: true })
    powerMonitor.emit('shutdown')
    expect(child().posted.at(-1)).toEqual({ type: 'stop' })
    expect(electron.showMessageBox).not.toHaveBeenCalled()
  })

  test('does not ask when a signal ends it', async () => {
    await launch()
    child().emit('message', { type: 'ready', ready })
    child().emit('message', { type: 'activity', busy: true })
    const [ours] = process.listeners('SIGTERM').filter((one) => !foreignListeners.get('SIGTERM')?.includes(one))
    ours?.('SIGTERM')
    expect(child().posted.at(-1)).toEqual({ type: 'stop' })
    expect(electron.showMessageBox).not.toHaveBeenCalled()
  })
})

describe('single instance', () => {
  test('a second one quits without a window or a daemon', async () => {
    electron.isFirstInstance = false
    await import('./index.ts')
    expect(electron.quit).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(0)
    expect(electron.windows).toHaveLength(0)
    expect(electron.children).toHaveLength(0)
  })

  test('the first one comes forward', async () => {
    const { window } = await launch()
    window.close()
    app.emit('second-instance')
    expect(window.visible).toBe(true)
  })
})
