import { EventEmitter } from 'node:events'
import type * as Electron from 'electron'

type Template = Electron.MenuItemConstructorOptions[]

/** What the application gave to the parts of the system that the stand-in does not have. Tests read it. */
export const standIn = {
  applicationMenu: undefined as Template | undefined,
  trays: [] as Tray[],
  notifications: [] as { title?: string; body?: string }[],
  openedUrls: [] as string[],
  openedPaths: [] as string[]
}

// Tests replace these functions with `electronApp.evaluate`, as they do with Electron's own.
export const dialog = {
  showMessageBox: async (options: Electron.MessageBoxOptions): Promise<Electron.MessageBoxReturnValue> => ({
    response: options.cancelId ?? 0,
    checkboxChecked: false
  }),
  showErrorBox: (title: string, content: string): void => console.error(title, content)
}

export const shell = {
  openExternal: async (url: string): Promise<void> => void standIn.openedUrls.push(url),
  openPath: async (path: string): Promise<string> => {
    standIn.openedPaths.push(path)
    return ''
  }
}

export const Menu = {
  buildFromTemplate: (template: Template): Template => template,
  setApplicationMenu: (menu: Template | null): void => {
    standIn.applicationMenu = menu ?? undefined
  }
}

export class Tray extends EventEmitter {
  readonly image: string
  toolTip = ''
  menu: Template = []

  constructor(image: string) {
    super()
    this.image = image
    standIn.trays.push(this)
  }

  setToolTip(text: string): void {
    this.toolTip = text
  }
  setContextMenu(menu: Template): void {
    this.menu = menu
  }
}

export class Notification {
  readonly #content: { title?: string; body?: string }

  constructor(content: { title?: string; body?: string }) {
    this.#content = content
  }

  show(): void {
    standIn.notifications.push(this.#content)
  }
}

const blockers = new Set<number>()
let lastBlocker = 0

export const powerSaveBlocker = {
  start: (_type: string): number => {
    lastBlocker += 1
    blockers.add(lastBlocker)
    return lastBlocker
  },
  stop: (id: number): boolean => blockers.delete(id),
  isStarted: (id: number): boolean => blockers.has(id)
}

export const powerMonitor = Object.assign(new EventEmitter(), { isOnBatteryPower: () => false })

export const session = {
  defaultSession: { setPermissionRequestHandler: () => {}, setPermissionCheckHandler: () => {} }
}
