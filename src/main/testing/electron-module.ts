// Electron cannot be loaded outside of itself. For `vi.mock('electron', …)` this is the part of it that the shell
// uses; what it was given is kept in `electron` for the tests to read.
import { EventEmitter } from 'node:events'
import type { MenuItemConstructorOptions, MessageBoxOptions } from 'electron'
import { type Mock, vi } from 'vitest'

type PermissionRequest = (contents: null, name: string, decide: (granted: boolean) => void, details: object) => void
type PermissionCheck = (contents: null, name: string, origin: string) => boolean
type BridgeHandler = (event: { senderFrame: { url: string } | null }) => unknown

/** An event that a listener may refuse. */
export function vetoable(url = '') {
  return {
    url,
    defaultPrevented: false,
    preventDefault() {
      this.defaultPrevented = true
    }
  }
}

class FakeWebContents extends EventEmitter {
  url = ''
  sent: [channel: string, value: unknown][] = []
  openHandler: (details: { url: string }) => { action: string } = () => ({ action: 'allow' })

  getURL = () => this.url
  send = (channel: string, value: unknown) => void this.sent.push([channel, value])
  setWindowOpenHandler(handler: (details: { url: string }) => { action: string }) {
    this.openHandler = handler
  }
}

export class BrowserWindow extends EventEmitter {
  readonly options: { webPreferences?: object }
  readonly webContents = new FakeWebContents()
  readonly loaded: string[] = []
  visible = false

  constructor(options: { webPreferences?: object }) {
    super()
    this.options = options
    electron.windows.push(this)
    app.emit('web-contents-created', {}, this.webContents)
  }

  async loadURL(url: string) {
    this.loaded.push(url)
    this.webContents.url = url
  }
  show = () => {
    this.visible = true
  }
  hide = () => {
    this.visible = false
  }
  close = () => this.emit('close', vetoable())
  focus = () => {}
  isMinimized = () => false
  isDestroyed = () => false
}

export class Tray extends EventEmitter {
  menu: MenuItemConstructorOptions[] = []

  constructor() {
    super()
    electron.trays.push(this)
  }

  setToolTip = () => {}
  setContextMenu = (menu: MenuItemConstructorOptions[]) => {
    this.menu = menu
  }
}

export class Notification {
  readonly #content: object

  constructor(content: object) {
    this.#content = content
  }

  show = () => void electron.notifications.push(this.#content)
}

class FakeUtilityProcess extends EventEmitter {
  readonly modulePath: string
  readonly posted: { type: string }[] = []
  readonly stdout = new EventEmitter()
  readonly stderr = new EventEmitter()
  readonly kill: Mock<() => boolean> = vi.fn(() => true)

  constructor(modulePath: string) {
    super()
    this.modulePath = modulePath
  }

  postMessage = (message: { type: string }) => void this.posted.push(message)
}

const quit: Mock<() => void> = vi.fn()
const exit: Mock<(code: number) => void> = vi.fn()
const showMessageBox: Mock<(options: MessageBoxOptions) => Promise<{ response: number }>> = vi.fn(async () => ({
  response: 0
}))

/** What the shell did with Electron, and how Electron answers it. */
export const electron = {
  isFirstInstance: true,
  locale: 'en-US',
  windows: [] as BrowserWindow[],
  children: [] as FakeUtilityProcess[],
  trays: [] as Tray[],
  notifications: [] as object[],
  /** Addresses and paths handed to the system. */
  opened: [] as string[],
  bridge: new Map<string, BridgeHandler>(),
  awake: new Map<number, string>(),
  permissionRequest: undefined as PermissionRequest | undefined,
  permissionCheck: undefined as PermissionCheck | undefined,
  quit,
  exit,
  showMessageBox,

  reset() {
    this.isFirstInstance = true
    this.locale = 'en-US'
    for (const list of [this.windows, this.children, this.trays, this.notifications, this.opened]) list.length = 0
    this.bridge.clear()
    this.awake.clear()
    for (const mock of [this.quit, this.exit, this.showMessageBox]) mock.mockClear()
    app.removeAllListeners()
    powerMonitor.removeAllListeners()
    powerMonitor.onBattery = false
  }
}

const paths = new Map([['userData', '/nowhere']])

export const app = Object.assign(new EventEmitter(), {
  requestSingleInstanceLock: () => electron.isFirstInstance,
  whenReady: async () => {},
  getPath: (name: string) => paths.get(name),
  setPath: (name: string, path: string) => paths.set(name, path),
  getLocale: () => electron.locale,
  getVersion: () => '1.2.3',
  setAppUserModelId: () => {},
  quit,
  exit
})

export const utilityProcess = {
  fork(modulePath: string) {
    const child = new FakeUtilityProcess(modulePath)
    electron.children.push(child)
    return child
  }
}

export const Menu = {
  buildFromTemplate: (template: MenuItemConstructorOptions[]) => template,
  setApplicationMenu: () => {}
}

export const dialog = { showMessageBox, showErrorBox: () => {} }

export const ipcMain = {
  handle: (channel: string, handler: BridgeHandler) => electron.bridge.set(channel, handler)
}

class FakePowerMonitor extends EventEmitter {
  onBattery = false
  isOnBatteryPower = () => this.onBattery
}

export const powerMonitor = new FakePowerMonitor()

let blockers = 0

export const powerSaveBlocker = {
  start(type: string) {
    blockers += 1
    electron.awake.set(blockers, type)
    return blockers
  },
  stop: (id: number) => electron.awake.delete(id)
}

export const session = {
  defaultSession: {
    setPermissionRequestHandler(handler: PermissionRequest) {
      electron.permissionRequest = handler
    },
    setPermissionCheckHandler(handler: PermissionCheck) {
      electron.permissionCheck = handler
    }
  }
}

export const shell = {
  openExternal: async (url: string) => void electron.opened.push(url),
  openPath: async (path: string) => void electron.opened.push(path)
}
