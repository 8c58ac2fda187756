import { EventEmitter } from 'node:events'
import { readFileSync } from 'node:fs'
import type { CDPSession, Page } from '@playwright/test'
import type * as Electron from 'electron'
import { app } from './app.ts'
import { openChromium } from './chromium.ts'
import { answerInvoke } from './ipc.ts'
import { pageBindings, pageReceiver, pageRuntime } from './page-runtime.ts'
import { Vetoable } from './vetoable.ts'

type OpenHandler = (details: { url: string }) => { action: 'allow' | 'deny' }

class NavigationEvent extends Vetoable {
  readonly url: string

  constructor(url: string) {
    super()
    this.url = url
  }
}

const netErrors: Record<string, number> = { ERR_ABORTED: -3, ERR_FILE_NOT_FOUND: -6, ERR_CONNECTION_REFUSED: -102 }

class StandInWebContents extends EventEmitter {
  readonly window: StandInWindow
  targetId: string | undefined
  #openHandler: OpenHandler = () => ({ action: 'allow' })

  constructor(window: StandInWindow) {
    super()
    this.window = window
  }

  setWindowOpenHandler = (handler: OpenHandler): void => {
    this.#openHandler = handler
  }
  getURL = (): string => this.window.page?.url() ?? ''
  isDestroyed = (): boolean => this.window.isDestroyed()
  close = (): void => this.window.close()

  send(channel: string, ...args: unknown[]): void {
    const call = `window.${pageReceiver}?.(${JSON.stringify(channel)}, ${JSON.stringify(args)})`
    // A page that is just being replaced misses the message, as in Electron.
    this.window.page?.evaluate(call).catch(() => {})
  }

  tryToOpen(url: string): void {
    if (this.#openHandler({ url }).action === 'allow') throw new Error('the stand-in opens no second window')
  }
}

class StandInWindow extends EventEmitter {
  static getAllWindows = (): StandInWindow[] => [...all]
  static fromWebContents = (contents: StandInWebContents): StandInWindow => contents.window

  readonly webContents = new StandInWebContents(this)
  readonly options: Electron.BrowserWindowConstructorOptions
  page: Page | undefined
  readonly #opened: Promise<Page>
  /** The address the application itself loads; every other document is the page's own wish. */
  #loading: string | undefined
  #shownOnce = false
  #visible: boolean
  #destroyed = false
  #closing: Promise<void> | undefined

  constructor(options: Electron.BrowserWindowConstructorOptions = {}) {
    super()
    if (!app.isReady()) throw new Error('Cannot create BrowserWindow before app is ready')
    this.options = options
    this.#visible = options.show !== false
    all.add(this)
    app.windows.add(this)
    app.emit('web-contents-created', {}, this.webContents)
    this.#opened = this.#open()
  }

  async #open(): Promise<Page> {
    const { context } = await openChromium()
    const page = await context.newPage()
    this.page = page
    await page.setViewportSize({ width: this.options.width ?? 800, height: this.options.height ?? 600 })
    await page.exposeBinding(pageBindings.invoke, ({ frame }, channel: string, args: unknown[]) =>
      answerInvoke({ sender: this.webContents, senderFrame: { url: frame.url() } }, channel, args)
    )
    await page.exposeBinding(pageBindings.opened, (_source, url: string) => this.webContents.tryToOpen(url))
    await page.exposeBinding(pageBindings.input, (_source, type: string) =>
      this.webContents.emit('input-event', {}, { type })
    )
    const preload = this.options.webPreferences?.preload
    await page.addInitScript(pageRuntime(preload ? readFileSync(preload, 'utf8') : ''))
    page.on('crash', () => this.webContents.emit('render-process-gone', {}, { reason: 'crashed', exitCode: 1 }))
    page.on('close', () => this.#gone())
    await this.#watchNavigation(await context.newCDPSession(page))
    return page
  }

  async #watchNavigation(session: CDPSession): Promise<void> {
    this.webContents.targetId = (await session.send('Target.getTargetInfo')).targetInfo.targetId
    session.on('Fetch.requestPaused', ({ requestId, request }) => {
      const allowed = request.url === this.#loading || this.#mayNavigate(request.url)
      const answer = allowed
        ? session.send('Fetch.continueRequest', { requestId })
        : session.send('Fetch.failRequest', { requestId, errorReason: 'Aborted' })
      // The page may be gone before the answer arrives.
      answer.catch(() => {})
    })
    await session.send('Fetch.enable', { patterns: [{ resourceType: 'Document', requestStage: 'Request' }] })
  }

  #mayNavigate(url: string): boolean {
    const events = ['will-frame-navigate', 'will-navigate'].map((name) => {
      const event = new NavigationEvent(url)
      this.webContents.emit(name, event)
      return event
    })
    return !events.some((event) => event.defaultPrevented)
  }

  async loadURL(url: string): Promise<void> {
    const page = await this.#opened
    this.#loading = url.replace(/#.*/, '')
    try {
      await page.goto(url)
    } catch (cause) {
      const text = String(cause)
      const name = /net::(ERR_\w+)/.exec(text)?.[1] ?? (text.includes('interrupted') ? 'ERR_ABORTED' : 'ERR_FAILED')
      if (!this.#destroyed) this.webContents.emit('did-fail-load', {}, netErrors[name] ?? -2, name, url, true)
      throw cause
    }
    this.webContents.emit('did-finish-load')
    if (!this.#shownOnce) this.emit('ready-to-show')
    this.#shownOnce = true
  }

  show(): void {
    this.#visible = true
    this.emit('show')
  }
  hide(): void {
    this.#visible = false
    this.emit('hide')
  }
  isVisible = (): boolean => this.#visible
  isMinimized = (): boolean => false
  isDestroyed = (): boolean => this.#destroyed
  restore = (): void => {}
  focus = (): void => void this.emit('focus')

  close(): void {
    const veto = new Vetoable()
    this.emit('close', veto)
    if (!veto.defaultPrevented) this.#closing = this.#destroy()
  }

  /** Resolves when a close that was not refused is done. */
  async destroyForQuit(): Promise<void> {
    await this.#closing
  }

  async #destroy(): Promise<void> {
    const page = await this.#opened
    await page.close().catch(() => {})
    this.#gone()
  }

  #gone(): void {
    if (this.#destroyed) return
    this.#destroyed = true
    all.delete(this)
    app.windows.delete(this)
    this.emit('closed')
    if (all.size === 0) app.emit('window-all-closed')
  }
}

const all = new Set<StandInWindow>()

export const BrowserWindow = StandInWindow

export const webContents = {
  getAllWebContents: () => [...all].map((window) => window.webContents),
  fromDevToolsTargetId: (targetId: string) =>
    [...all].map((window) => window.webContents).find((contents) => contents.targetId === targetId)
}
