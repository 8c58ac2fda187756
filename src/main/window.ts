import { pathToFileURL } from 'node:url'
import { BrowserWindow } from 'electron'
import { bridgeChannels, type DaemonStatus } from '../shared/bridge.ts'
import type { ReadyInfo } from '../shared/ready.ts'
import { hardenedWebPreferences } from './security.ts'

const reloadPauseMs = 1_000
/** Chromium's code for a load that a newer one replaced. */
const loadAborted = -3

export interface MainWindowOptions {
  preloadPath: string
  iconPath: string
  /** The page shown while there is no daemon to show. */
  statusPagePath: string
  /** Whether closing really closes; otherwise the window only hides. */
  isQuitting: () => boolean
  onHidden: () => void
}

/** The one window: the daemon's admin page while the daemon runs, a page of our own that says what is wrong otherwise. */
export class MainWindow {
  readonly #options: MainWindowOptions
  readonly #statusUrl: string
  readonly #window: BrowserWindow
  #ready: ReadyInfo | null = null
  /** Path and query the person was at, so that a restart of the daemon brings them back. */
  #place = '/'

  /** Needs a ready application. */
  constructor(options: MainWindowOptions) {
    this.#options = options
    this.#statusUrl = pathToFileURL(options.statusPagePath).href
    this.#window = new BrowserWindow({
      title: 'Flightcase',
      width: 1280,
      height: 800,
      minWidth: 640,
      minHeight: 480,
      show: false,
      autoHideMenuBar: true,
      icon: options.iconPath,
      webPreferences: { ...hardenedWebPreferences, preload: options.preloadPath }
    })
    this.#window.once('ready-to-show', () => this.#window.show())
    this.#window.on('close', (event) => this.#hideInstead(event))
    this.#window.webContents.on('render-process-gone', () => this.#loadSoon())
    this.#window.webContents.on('did-fail-load', (_event, code, _text, _url, isMainFrame) => {
      if (isMainFrame && code !== loadAborted) this.#loadSoon()
    })
    this.#load()
  }

  /** Brings the window before the person, wherever it was. */
  open(): void {
    if (this.#window.isMinimized()) this.#window.restore()
    this.#window.show()
    this.#window.focus()
  }

  /** Shows what fits the daemon's state, and tells the page about it. */
  follow(status: DaemonStatus, ready: ReadyInfo | null): void {
    if (this.#window.isDestroyed()) return
    if (ready !== this.#ready) {
      this.#rememberPlace()
      this.#ready = ready
      this.#load()
    }
    this.#window.webContents.send(bridgeChannels.daemonStatus, status)
  }

  /** Whether `url` belongs to the status page or to the running daemon's admin listener. */
  isOurPage(url: string): boolean {
    if (!URL.canParse(url)) return false
    const { origin, href } = new URL(url)
    return href === this.#statusUrl || (this.#ready !== null && origin === new URL(this.#ready.admin.url).origin)
  }

  #load(): void {
    const ready = this.#ready
    const url = ready
      ? `${ready.admin.url}${this.#place}#token=${encodeURIComponent(ready.admin.token)}`
      : this.#statusUrl
    // did-fail-load tells about the same failure and deals with it.
    this.#window.loadURL(url).catch(() => {})
  }

  #loadSoon(): void {
    setTimeout(() => {
      if (!this.#window.isDestroyed()) this.#load()
    }, reloadPauseMs)
  }

  #rememberPlace(): void {
    const url = this.#window.webContents.getURL()
    if (!url.startsWith('http') || !this.isOurPage(url)) return
    const { pathname, search } = new URL(url)
    this.#place = pathname + search
  }

  #hideInstead(event: { preventDefault: () => void }): void {
    if (this.#options.isQuitting()) return
    event.preventDefault()
    this.#window.hide()
    this.#options.onHidden()
  }
}
