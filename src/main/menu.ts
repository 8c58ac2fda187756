import { Menu, type MenuItemConstructorOptions } from 'electron'
import type { Texts } from './texts.ts'

/** The menu bar: the usual editing and zoom commands, and the two folders a person may be asked to look into. */
export function setApplicationMenu(texts: Texts, openDataFolder: () => void, openLogFolder: () => void): void {
  const template: MenuItemConstructorOptions[] = [
    ...(process.platform === 'darwin' ? [{ role: 'appMenu' } as const] : []),
    { role: 'editMenu' },
    { role: 'viewMenu' },
    { role: 'windowMenu' },
    {
      role: 'help',
      submenu: [
        { label: texts.dataFolder, click: openDataFolder },
        { label: texts.logFolder, click: openLogFolder }
      ]
    }
  ]
  Menu.setApplicationMenu(Menu.buildFromTemplate(template))
}
