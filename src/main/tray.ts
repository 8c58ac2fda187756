import { Menu, Tray } from 'electron'
import type { DaemonStatus } from '../shared/bridge.ts'
import type { Texts } from './texts.ts'

export interface BaseTrayOptions {
  iconPath: string
  texts: Texts
  onOpen: () => void
  onQuit: () => void
}

/** The icon that stays while the window is hidden: says in one line what the base does, and opens or quits it. */
export class BaseTray {
  readonly #options: BaseTrayOptions
  readonly #tray: Tray
  #line = ''

  /** Needs a ready application. */
  constructor(options: BaseTrayOptions) {
    this.#options = options
    this.#tray = new Tray(options.iconPath)
    this.#tray.on('click', options.onOpen)
  }

  follow(status: DaemonStatus): void {
    const { texts, onOpen, onQuit } = this.#options
    const line = statusLine(status, texts)
    if (line === this.#line) return
    this.#line = line
    this.#tray.setToolTip(`Flightcase: ${line}`)
    this.#tray.setContextMenu(
      Menu.buildFromTemplate([
        { label: texts.open, click: onOpen },
        { label: line, enabled: false },
        { type: 'separator' },
        { label: texts.quit, click: onQuit }
      ])
    )
  }
}

function statusLine(status: DaemonStatus, texts: Texts): string {
  if (status.state === 'running') return status.busy ? texts.receiving : texts.idle
  return status.state === 'starting' ? texts.starting : texts.notRunning
}
