// A stand-in for Electron's main process on Node and a real Chromium, faithful enough that Playwright's
// `_electron.launch()` drives the built application through it unchanged.
//
// Faithful: a window is a page of Chromium and its preload script runs before the page's own; invoke/handle and send;
// the order of lifecycle events and their vetoes; one instance per user data folder; navigation, window.open and input
// events; utility processes with parentPort. Not covered: context isolation, the sandbox, sessions, native menus, tray
// and dialogs (they only keep what they were given, in `standIn`), packaging.
import { app } from './app.ts'
import { BrowserWindow, webContents } from './browser-window.ts'
import { ipcMain } from './ipc.ts'
import {
  dialog,
  Menu,
  Notification,
  powerMonitor,
  powerSaveBlocker,
  session,
  shell,
  standIn,
  Tray
} from './native-parts.ts'
import { utilityProcess } from './utility-process.ts'

export {
  app,
  BrowserWindow,
  dialog,
  ipcMain,
  Menu,
  Notification,
  powerMonitor,
  powerSaveBlocker,
  session,
  shell,
  standIn,
  Tray,
  utilityProcess,
  webContents
}
